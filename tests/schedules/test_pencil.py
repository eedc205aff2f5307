"""The grid under the pencil: what edits come to, gestures, and edits carried to a grid that was changed meanwhile."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest

from schedules import pencil
from schedules.errors import Refused
from schedules.grid import Change, ItemKind, NthWeekday, SessionItem, SessionRule, WeekTemplate
from schedules.pencil import AddException, AddWeek, EndSession, Reach, SetSession, Step, TakeBack
from schedules.text import Text

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
WEDNESDAY = date(2026, 11, 25)
RULE = SessionRule(
    id="sang",
    station="LH",
    name="Buổi sáng",
    starts=(time(5, 30), time(17)),
    length_s=1800,
    items=(SessionItem(id="a", kind=ItemKind.SEGMENT, programme="CDS"),),
    since=NOW,
    owner="XA",
    targets=("thon-1",),
)
WEEK = WeekTemplate(id="he", station="LH", name="Hè", since=NOW)
OFF = pencil.cancelled(RULE, name="x1", day=WEDNESDAY, number=None, now=NOW)


def step(*edits):
    """Return one step of these edits."""
    return Step(words=Text("Sửa", "Edit"), edits=edits, at=NOW)


def longer(rule, length_s=3600):
    """Return the edit that makes a session longer."""
    return SetSession(rule=replace(rule, length_s=length_s), before=rule)


def test_edits_come_to_their_end_and_not_to_their_way():
    """There and back is nothing; made and ended again is nothing; several edits of one session are one."""
    twice = replace(RULE, length_s=60)
    fresh = replace(RULE, id="moi")

    there = pencil.folded([longer(RULE), SetSession(rule=RULE, before=replace(RULE, length_s=3600))])
    gone = pencil.folded([SetSession(rule=fresh), EndSession(before=fresh)])
    one = pencil.folded([longer(RULE), SetSession(rule=twice, before=replace(RULE, length_s=3600))])

    assert there.empty
    assert gone.empty
    assert one.rules == ((RULE, twice),)
    assert not one.empty


def test_exceptions_of_a_draft_go_with_it():
    """What was decided in the draft and taken back there is nothing; of an ended session nothing is decided."""
    made = pencil.folded([AddException(exception=OFF)])
    back = pencil.folded([AddException(exception=OFF), TakeBack(exception=OFF)])
    old = pencil.folded([TakeBack(exception=OFF)])
    ended = pencil.folded([AddException(exception=OFF), EndSession(before=RULE)])

    assert made.added == (OFF,)
    assert back.empty
    assert old.taken_back == (OFF,)
    assert ended.added == ()


def test_a_week_without_sessions_is_not_meant():
    """A week template whose sessions were all taken out again would be silence; it is left out."""
    inside = replace(RULE, id="moi", template="he")

    kept = pencil.folded([AddWeek(template=WEEK), SetSession(rule=inside)])
    empty = pencil.folded([AddWeek(template=WEEK), SetSession(rule=inside), EndSession(before=inside)])

    assert kept.weeks == (WEEK,)
    assert empty.empty


def test_sessions_under_the_pencil():
    """New ones are there, changed ones as changed, ended ones gone; one that was ended unseen is no error."""
    fresh = replace(RULE, id="moi")
    change = pencil.folded([SetSession(rule=fresh), EndSession(before=RULE)])

    assert pencil.edited([RULE], change) == {"moi": fresh}
    assert pencil.edited([], change) == {"moi": fresh}
    both = replace(change, rules=(*change.rules, (None, None)))
    assert pencil.edited([RULE], both) == {"moi": fresh}


def test_a_start_moves_by_time_and_weekday():
    """One start of several takes another time; the weekday goes from one day to another that is free."""
    weekly = replace(RULE, weekdays=(1, 3))

    later = pencil.placed(RULE, number=2, day=WEDNESDAY, by_days=0, to_start=time(18), length_s=1800)
    friday = pencil.placed(weekly, number=1, day=WEDNESDAY, by_days=2, to_start=time(5, 30), length_s=60)
    week_on = pencil.placed(weekly, number=1, day=WEDNESDAY, by_days=7, to_start=time(6), length_s=1800)

    assert later.starts == (time(5, 30), time(18))
    assert (friday.weekdays, friday.length_s) == ((1, 5), 60)
    assert week_on.weekdays == (1, 3)


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        (RULE, "move_onto_itself"),
        (replace(RULE, month_days=(1,)), "move_by_form"),
        (replace(RULE, nth_weekdays=(NthWeekday(nth=1, weekday=3),)), "move_by_form"),
        (replace(RULE, weekdays=(1,)), "move_by_form"),
    ],
)
def test_a_weekday_that_cannot_move_is_refused(rule, code):
    """Onto a day that it is on already, by the month, or from a day that only a decreed swap gave it."""
    with pytest.raises(Refused) as refused:
        pencil.placed(rule, number=1, day=WEDNESDAY, by_days=1, to_start=time(5), length_s=60)

    assert refused.value.findings[0].code == code


def test_from_a_date_on_the_session_goes_on_under_another_name():
    """Until the day before the old one holds; what was excepted later holds for the new one too, the rest not."""
    after = replace(RULE, length_s=60)
    earlier = replace(OFF, id="x0", day=date(2026, 11, 24))
    always = replace(OFF, id="x2", day=date(2026, 11, 24), following=True)

    old, new, *carried = pencil.following(
        RULE, after, first=WEDNESDAY, today=TODAY, name="moi", exceptions=(earlier, OFF, always), names=("y1", "y2")
    )

    assert (old.rule.valid_until, old.before) == (date(2026, 11, 24), RULE)
    assert (new.rule.id, new.rule.valid_from, new.rule.length_s, new.before) == ("moi", WEDNESDAY, 60, None)
    assert [(one.exception.id, one.exception.session) for one in carried] == [("y1", "moi"), ("y2", "moi")]


@pytest.mark.parametrize(("rule", "first"), [(RULE, TODAY), (replace(RULE, valid_from=WEDNESDAY), WEDNESDAY)])
def test_from_today_on_is_always(rule, first):
    """Where nothing of the old one is left before the date, it is simply changed."""
    after = replace(rule, length_s=60)

    assert pencil.following(rule, after, first=first, today=TODAY, name="moi") == pencil.always(rule, after)


def test_one_date_is_decided_anew():
    """An earlier decision about exactly that date goes; others stay; another length needs a session of its own."""
    there = pencil.moved(RULE, name="x9", day=WEDNESDAY, number=None, to_day=WEDNESDAY, to_start=time(6), now=NOW)
    other = replace(OFF, id="x3", number=1)
    alone = pencil.copied(
        RULE,
        name="rieng",
        station="LH",
        day=WEDNESDAY,
        start=time(6),
        length_s=60,
        reach=Reach.ONCE,
        template=None,
        now=NOW,
    )

    edits = pencil.once(RULE, there, exceptions=(OFF, other), instead=alone)

    assert edits == (TakeBack(exception=OFF), AddException(exception=there), SetSession(rule=alone))
    assert pencil.once(RULE, there) == (AddException(exception=there),)
    assert (there.change, OFF.change) == (Change.MOVE, Change.CANCEL)


@pytest.mark.parametrize(
    ("reach", "first", "last"),
    [(Reach.EVERY, None, None), (Reach.FOLLOWING, WEDNESDAY, None), (Reach.ONCE, WEDNESDAY, WEDNESDAY)],
)
def test_a_copy_is_on_its_own_day(reach, first, last):
    """Every week, from the date on or on it alone; at another station it is that station's own."""
    options = {"day": WEDNESDAY, "start": time(19), "length_s": 900, "reach": reach, "template": "he", "now": NOW}

    here = pencil.copied(RULE, name="b", station="LH", **options)
    there = pencil.copied(RULE, name="b", station="LM", **options)

    assert (here.weekdays, here.starts, here.length_s) == ((3,), (time(19),), 900)
    assert (here.valid_from, here.valid_until, here.template) == (first, last, "he")
    assert (here.owner, here.targets) == ("XA", ("thon-1",))
    assert (there.station, there.owner, there.targets) == ("LM", None, ())


def carry(steps, rules=(RULE,), exceptions=(), weeks=()):
    """Carry steps to a grid."""
    return pencil.carried([step(*edits) for edits in steps], rules, exceptions, weeks)


def test_what_the_pencil_did_not_touch_is_as_it_is_now():
    """Somebody renamed the session, the draft made it longer: both hold, also where it goes on as a new version."""
    renamed = replace(RULE, id="sang-2", name="Tin sáng")

    found = carry([[longer(RULE)], [longer(replace(RULE, length_s=3600), 60)]], rules=(renamed,))

    last = found.steps[1].edits[0]
    assert (last.rule.id, last.rule.name, last.rule.length_s) == ("sang-2", "Tin sáng", 60)
    assert last.before.length_s == 3600
    assert (found.both, found.lost) == ((), ())


def test_what_both_changed_is_told_and_the_draft_holds():
    """The same field on both sides: the draft's value, and the field's name."""
    theirs = replace(RULE, length_s=7200)

    found = carry([[longer(RULE)]], rules=(theirs,))

    assert found.both == (("Buổi sáng", "length_s"),)
    assert found.steps[0].edits[0].rule.length_s == 3600
    same = carry([[longer(RULE)]], rules=(replace(RULE, length_s=3600),))
    assert same.both == ()


def test_what_is_gone_loses_its_edits():
    """Of an ended session nothing is edited; that is told, except where the draft would have ended it too."""
    other = replace(RULE, id="khac")

    found = carry([[longer(RULE)], [EndSession(before=RULE)], [AddException(exception=OFF)]], rules=(other,))

    assert found.steps == ()
    assert found.lost == ("Buổi sáng", "2026-11-25")


def test_new_sessions_go_over_and_those_of_an_ended_week_do_not():
    """A session that the draft made stays its own, with what was decided about it."""
    fresh = replace(RULE, id="moi")
    inside = replace(RULE, id="trong", name="Trong tuần mẫu", template="he")
    about = replace(OFF, session="moi")
    changed = SetSession(rule=replace(fresh, length_s=60), before=fresh)

    found = carry([[SetSession(rule=fresh), changed, AddException(exception=about)], [SetSession(rule=inside)]])

    assert found.steps[0].edits == (SetSession(rule=fresh), changed, AddException(exception=about))
    assert found.lost == ("Trong tuần mẫu",)
    assert carry([[SetSession(rule=inside)]], weeks=("he",)).lost == ()
    assert carry([[AddWeek(template=WEEK), SetSession(rule=inside)]]).lost == ()


def test_decisions_follow_their_session_and_fall_away_with_what_they_took_back():
    """An exception goes to the session's next version; what somebody else took back need not be taken back again."""
    renamed = replace(RULE, id="sang-2")
    known = replace(OFF, id="x5")

    moved = carry([[AddException(exception=OFF)]], rules=(renamed,))
    same = carry([[longer(RULE), AddException(exception=OFF)]])
    gone = carry([[TakeBack(exception=known)]])
    open_one = carry([[TakeBack(exception=known)]], exceptions=(known,))
    own = carry([[AddException(exception=OFF), TakeBack(exception=OFF)]])

    assert moved.steps[0].edits[0].exception.session == "sang-2"
    assert same.steps[0].edits[1].exception.session == "sang"
    assert gone.steps == ()
    assert open_one.steps[0].edits == (TakeBack(exception=known),)
    assert len(own.steps[0].edits) == 2


def test_an_ended_session_ends_as_it_is_now():
    """It is ended under its present version, and is not there for later edits."""
    renamed = replace(RULE, id="sang-2")

    found = carry([[EndSession(before=RULE)]], rules=(renamed,))

    assert found.steps[0].edits == (EndSession(before=renamed),)
