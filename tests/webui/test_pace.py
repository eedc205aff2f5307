"""How often strangers may ask: each purpose and key for itself, and what is refused costs nothing more."""

from __future__ import annotations

import pytest

from schedules.errors import TooMany
from webui.pace import Limit, Pace

FORMS = Limit(purpose="forms", most=2, span_s=60)


def test_the_limit_holds_for_one_key_and_lets_go_after_its_span():
    """Two within a minute; the third waits for the first to be a minute old; other keys and purposes go on."""
    pace = Pace()
    pace.spend(FORMS, "a", 0.0)
    pace.spend(FORMS, "a", 30.0)
    with pytest.raises(TooMany) as caught:
        pace.spend(FORMS, "a", 40.0)
    assert caught.value.retry_after_s == 20.0
    pace.spend(FORMS, "b", 40.0)
    pace.spend(Limit(purpose="pages", most=1, span_s=60), "a", 40.0)
    pace.spend(FORMS, "a", 60.0)
    with pytest.raises(TooMany):
        pace.spend(FORMS, "a", 61.0)


def test_a_million_addresses_do_not_fill_the_memory():
    """Only so many keys are remembered; the oldest go first."""
    pace = Pace()
    for number in range(20_500):
        pace.spend(FORMS, str(number), 0.0)
    assert len(pace._asked) == 20_000
