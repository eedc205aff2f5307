"""Intent on its way down: whole, signed, and only what concerns the station."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nacl.signing import SigningKey

from link.codec import canonical, dump, load
from link.keys import load_or_make
from link.manifest import for_station, seal, unseal
from schedules.errors import SignatureInvalid
from schedules.intent import Intent
from tests.schedules.builders import duty, intent, local, one_off, place, segment, session

KEY = SigningKey(b"a" * 32)
DECIDED = intent(
    segments=(segment("moi"), segment("huyen", owner="HUYEN"), segment("khac", owner="KHAC")),
    sessions=(session(place("cds", programme="CDS")),),
    one_offs=(one_off("1", "moi", local(23, 9)),),
    duties=(duty(stations=("XA", "KHAC")),),
)


def test_intent_comes_back_as_it_was() -> None:
    """Times, enums and nested values survive the way through JSON."""
    assert DECIDED == unseal(seal(DECIDED, KEY), KEY.verify_key)
    assert DECIDED == load(Intent, dump(DECIDED))


def test_the_same_intent_has_the_same_bytes() -> None:
    """The document is canonical: signing twice gives the same."""
    assert seal(DECIDED, KEY) == seal(DECIDED, KEY)


@pytest.mark.parametrize("position", [0, 10, 200, 500, -2, -100])
def test_a_changed_byte_is_refused(position: int) -> None:
    """Whoever changes the plan on its way is found out."""
    document = bytearray(seal(DECIDED, KEY))
    document[position] ^= 1

    with pytest.raises(SignatureInvalid):
        unseal(bytes(document), KEY.verify_key)


def test_another_authority_is_refused() -> None:
    """A document signed by anyone else is not intent."""
    with pytest.raises(SignatureInvalid):
        unseal(seal(DECIDED, SigningKey(b"b" * 32)), KEY.verify_key)


@pytest.mark.parametrize("document", [b"", b"null", b"[]", b'{"body":{}}', b'{"body":{},"signature":"zz"}'])
def test_what_is_no_document_is_refused(document: bytes) -> None:
    """A captive portal's page or half a file is never taken for a plan."""
    with pytest.raises(SignatureInvalid):
        unseal(document, KEY.verify_key)


def test_an_unknown_schema_is_refused_although_signed() -> None:
    """A document of a later version is not half understood."""
    data = json.loads(seal(DECIDED, KEY))
    body = {**data["body"], "schema": 99}
    signed = canonical({"body": body, "signature": KEY.sign(canonical(body)).signature.hex()})

    with pytest.raises(SignatureInvalid, match="schema"):
        unseal(signed, KEY.verify_key)


def test_a_station_gets_nothing_of_its_neighbours() -> None:
    """Recordings of its own unit and those above, its own rules, orders and duties."""
    mine = for_station(DECIDED, "XA")

    assert {"moi", "huyen"} == {s.id for s in mine.segments}
    assert (("XA",),) == tuple(d.stations for d in mine.duties)
    assert ("XA",) == tuple(s.code for s in mine.stations)


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    """The second start finds the first one's key; nobody else may read it."""
    path = tmp_path / "keys" / "authority.ed25519"

    assert bytes(load_or_make(path)) == bytes(load_or_make(path))
    assert 0o600 == path.stat().st_mode & 0o777
