"""What people do about assignments: give them, take them, say that they are done."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy.orm import Session

from schedules.errors import NotAllowed, Refused, Unknown
from schedules.station import UnitCode
from store import assignments, outgoing, upkeep
from store.accounts import Person, Role
from store.assignments import Assignment, AssignmentState, Task
from webui.addresses import absolute
from webui.auth import not_yours
from webui.rights import can, reach
from webui.services import services
from webui.upkeep import wrong
from webui.work import no_such, require, station_of, trace

EDIT = "assignments.edit"
MAKERS = (Role.OPERATOR, Role.APPROVER, Role.CENTRE)


def give(task: Task, *, person: Person) -> str:
    """Give an assignment to somebody of the station's unit or the own one, or by name. Raises Unknown, Refused."""
    here = services()
    now = here.clock.now()
    with here.database.writing() as session:
        unit = person.unit
        if task.station is not None:
            unit = station_of(session, task.station, person).unit
        require(person, EDIT, unit)
        task = replace(task, unit=unit)
        if task.assignee is not None:
            somebody = next((one for one in makers(session, {unit, person.unit}) if one.id == task.assignee), None)
            if somebody is None:
                raise Refused(wrong("assignee", "Không giao được cho người này.", "They cannot be given it."))
            task = replace(task, assignee_name=somebody.full_name)
        made = assignments.give(session, task, person=person, now=now)
        trace(session, "assignment.give", made, person, detail=task.title)
        if task.assignee is not None and task.assignee != person.id:
            outgoing.queue(
                session,
                to=[task.assignee],
                subject=f"Giao việc: {task.title}",
                text=f"{task.note or task.title}\n\nHạn: {task.due:%d/%m/%Y}\n{absolute('pages.assignments')}",
                kind="assignment.given",
                now=now,
            )
    return made


def move(assignment: str, state: AssignmentState, *, text: str = "", person: Person) -> None:
    """Say that it was taken or is done: who has it, or who may give such; only these take it back.

    Raises Unknown for one that the person does not see, NotAllowed, Conflict.
    """
    here = services()
    with here.database.writing() as session:
        known = _assignment(session, assignment, person)
        giving = can(person, EDIT, known.task.unit)
        if not giving and (known.task.assignee != person.id or state is AssignmentState.CANCELLED):
            raise NotAllowed(not_yours())
        assignments.move(session, assignment, state, text=text, person=person, now=here.clock.now())
        trace(session, f"assignment.{state.value}", assignment, person)


def makers(session: Session, units: set[UnitCode]) -> tuple[Person, ...]:
    """Return who may be given an assignment in these units."""
    return upkeep.people_of(session, units, MAKERS)


def _assignment(session: Session, assignment: str, person: Person) -> Assignment:
    known = assignments.find(session, assignment)
    if known is None or (known.task.unit not in reach(person) and known.task.assignee != person.id):
        raise Unknown(no_such("assignment_unknown", "Không có việc này.", "There is no such assignment."))
    return known
