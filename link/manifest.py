"""Intent on its way down: one signed document a revision; what is not signed by the authority is not obeyed."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

from nacl.signing import SigningKey, VerifyKey
from pydantic import ValidationError

from link.codec import canonical, dump, load
from link.keys import sign, verify
from schedules.errors import SignatureInvalid
from schedules.intent import Intent
from schedules.owing import predecessors
from schedules.station import StationCode, merged_into, units_above

SCHEMA = 1


def for_station(intent: Intent, code: StationCode) -> Intent:
    """Return the part of `intent` that concerns one station; nothing of its neighbours travels to it."""
    station = intent.station(code)
    before = predecessors(intent, code)
    supervising = (station.unit, *units_above(intent.units, station.unit))
    # What was merged into one of them has left it its library.
    above = {*supervising, *(merged for unit in supervising for merged in merged_into(intent.units, unit))}
    return replace(
        intent,
        units=tuple(unit for unit in intent.units if unit.code in above),
        # Those that it succeeded stay known: their duties and their library go on here.
        stations=(station, *(s for s in intent.stations if s.code in before)),
        segments=tuple(s for s in intent.segments if s.owner in above),
        sessions=tuple(s for s in intent.sessions if s.station == code),
        one_offs=tuple(o for o in intent.one_offs if o.station == code),
        duties=tuple(
            replace(d, stations=tuple(s for s in d.stations if s == code or s in before))
            for d in intent.duties
            if code in d.stations or before.intersection(d.stations)
        ),
        templates=tuple(t for t in intent.templates if t.station == code),
        exceptions=tuple(e for e in intent.exceptions if e.station == code),
        excuses=tuple(e for e in intent.excuses if e.station == code),
    )


def seal(intent: Intent, key: SigningKey) -> bytes:
    """Return the signed document of `intent`."""
    body = {"schema": SCHEMA, "intent": dump(intent)}
    return canonical({"body": body, "signature": sign(key, canonical(body))})


def unseal(document: bytes, key: VerifyKey) -> Intent:
    """Return the intent of a signed document; raises SignatureInvalid for one that the authority did not make so."""
    try:
        data = json.loads(document)
        body, signature = data["body"], data["signature"]
    except (ValueError, KeyError, TypeError) as error:
        raise SignatureInvalid("not a signed intent") from error
    verify(key, canonical(body), str(signature))
    if body.get("schema") != SCHEMA:
        raise SignatureInvalid(f"unknown schema {body.get('schema')!r}")
    try:
        return load(Intent, body["intent"])
    except (ValidationError, KeyError) as error:
        raise SignatureInvalid("signed, but not an intent that this version understands") from error


def keep(path: Path, document: bytes) -> None:
    """Put a document in the place of the last one: after a power cut it is the old or the new one, whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    with temporary.open("wb") as file:
        file.write(document)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
