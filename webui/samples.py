"""Sample texts: those that come with Loa, and those of the units around a person."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from sqlalchemy.orm import Session

from schedules.errors import Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.station import units_above
from schedules.text import Text
from store import script_templates, units
from store.accounts import Person
from store.script_templates import Sample
from store.scripts import LONGEST
from webui import work
from webui.rights import can, reach
from webui.services import services

ONESTOP = "mau-mot-cua"


@cache
def shipped() -> tuple[Sample, ...]:
    """Return the samples that come with Loa."""
    rows = yaml.safe_load(Path(__file__).with_name("samples.yaml").read_text(encoding="utf-8"))
    return tuple(
        Sample(
            id=row["id"],
            owner="",
            name=row["name"],
            body=row["body"].strip(),
            kind=row["kind"],
            topic=row.get("topic", ""),
        )
        for row in rows
    )


def every(session: Session, person: Person) -> tuple[Sample, ...]:
    """Return all samples that a person may begin from: of the own units, of those above, and Loa's."""
    around = [*reach(person), *units_above(units.every(session), person.unit)]
    return (*script_templates.of_units(session, around), *shipped())


def one(session: Session, sample: str, person: Person) -> Sample | None:
    """Return a sample that the person may begin from, None for every other one."""
    return next((found for found in every(session, person) if found.id == sample), None)


def onestop(session: Session, person: Person) -> Sample:
    """Return the text that weekly figures are put into: a unit's own of that topic goes before Loa's."""
    found = every(session, person)
    return next(sample for sample in found if sample.topic == "DX-ONESTOP" and "[tiếp nhận]" in sample.body)


def changeable(sample: Sample, person: Person) -> bool:
    """Return whether the person may change it."""
    return sample.owner in reach(person) and can(person, "segments.create", sample.owner)


def save(sample: Sample, *, person: Person) -> str:
    """Keep a sample of the person's unit; Loa's own are never changed. Raises Refused, Unknown, NotAllowed."""
    here = services()
    name, body = " ".join(sample.name.split()), sample.body.strip()
    if not name or len(name) > 200:
        raise Refused(
            _wrong("name", "Hãy đặt tên mẫu, không quá 200 ký tự.", "Give it a name of at most 200 characters.")
        )
    if not body or len(body) > LONGEST:
        raise Refused(_wrong("body", "Hãy viết lời mẫu.", "Write the sample text."))
    with here.database.writing() as session:
        owner = person.unit
        if sample.id:
            known = script_templates.find(session, sample.id)
            if known is None or known.owner not in reach(person):
                raise Unknown(work.no_such("sample_unknown", "Không có mẫu này.", "There is no such sample."))
            owner = known.owner
        work.require(person, "segments.create", owner)
        fresh = Sample(id=sample.id, owner=owner, name=name, body=body, kind=sample.kind, topic=sample.topic)
        identity = script_templates.save(session, fresh, person=person, now=here.clock.now())
        work.trace(session, "sample.save", identity, person)
    return identity


def remove(sample: str, *, person: Person) -> None:
    """Take a sample of the person's units out of the list. Raises Unknown, NotAllowed."""
    here = services()
    with here.database.writing() as session:
        known = script_templates.find(session, sample)
        if known is None or known.owner not in reach(person):
            raise Unknown(work.no_such("sample_unknown", "Không có mẫu này.", "There is no such sample."))
        work.require(person, "segments.create", known.owner)
        script_templates.remove(session, sample, now=here.clock.now())
        work.trace(session, "sample.remove", sample, person)


def _wrong(where: str, vi: str, en: str) -> Finding:
    return Finding(code=f"{where}_wrong", severity=Severity.ERROR, where=where, message=Text(vi, en))
