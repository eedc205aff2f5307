"""recurrences, week templates, exceptions, calendar days, groups, limits, successors and duty versions"""

from __future__ import annotations

from datetime import time
from typing import Any

import sqlalchemy as sa
from alembic import op
from alembic.operations.base import BatchOperations

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_REPEATING = ["centre", "repeat", "evergreen"]
_NOT_REPEATING = ["centre"]


def upgrade() -> None:
    """Apply: add, fill, tighten."""
    with op.batch_alter_table("unit") as batch_op:
        batch_op.add_column(sa.Column("successor", sa.String(length=40), nullable=True))
        _deferred_key(batch_op, "fk_unit_successor_unit", "unit")
    _upgrade_station()
    _upgrade_programme()
    _upgrade_airings()
    _upgrade_sessions()
    _upgrade_duties()


def _upgrade_station() -> None:
    with op.batch_alter_table("station") as batch_op:
        for name in ("quiet", "limits", "groups"):
            batch_op.add_column(sa.Column(name, sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("valid_from", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("valid_until", sa.Date(), nullable=True))
        batch_op.add_column(sa.Column("successor", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("ended_by", sa.String(length=500), nullable=True))
    _fill("station", quiet=[], limits={}, groups=[], ended_by="")
    with op.batch_alter_table("station") as batch_op:
        for name in ("quiet", "limits", "groups"):
            batch_op.alter_column(name, existing_type=sa.JSON(), nullable=False)
        batch_op.alter_column("ended_by", existing_type=sa.String(length=500), nullable=False)
        _deferred_key(batch_op, "fk_station_successor_station", "station")


def _upgrade_programme() -> None:
    with op.batch_alter_table("programme") as batch_op:
        batch_op.add_column(sa.Column("order", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("otherwise", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("separation_s", sa.Integer(), nullable=True))
    _fill("programme", order="newest", otherwise=_REPEATING, separation_s=0)
    programme = sa.table("programme", sa.column("repeats", sa.Boolean()), sa.column("otherwise", sa.JSON()))
    op.execute(sa.update(programme).where(programme.c.repeats.is_(False)).values(otherwise=_NOT_REPEATING))
    with op.batch_alter_table("programme") as batch_op:
        batch_op.alter_column("order", existing_type=sa.String(length=20), nullable=False)
        batch_op.alter_column("otherwise", existing_type=sa.JSON(), nullable=False)
        batch_op.alter_column("separation_s", existing_type=sa.Integer(), nullable=False)
        batch_op.drop_column("repeats")


def _upgrade_airings() -> None:
    with op.batch_alter_table("segment") as batch_op:
        batch_op.add_column(sa.Column("episode", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("priority", sa.String(length=20), nullable=True))
    with op.batch_alter_table("one_off") as batch_op:
        batch_op.add_column(sa.Column("priority", sa.String(length=20), nullable=True))
    _fill("segment", priority="normal")
    _fill("one_off", priority="normal")
    for name in ("segment", "one_off"):
        with op.batch_alter_table(name) as batch_op:
            batch_op.alter_column("priority", existing_type=sa.String(length=20), nullable=False)


def _upgrade_sessions() -> None:
    op.create_table(
        "week_template",
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("day_kinds", sa.JSON(), nullable=False),
        sa.Column("document", sa.String(length=500), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["station"], ["station.code"], name=op.f("fk_week_template_station_station")),
        sa.PrimaryKeyConstraint("station", "id", name=op.f("pk_week_template")),
    )
    with op.batch_alter_table("session_rule") as batch_op:
        batch_op.add_column(sa.Column("every_weeks", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("anchor", sa.Date(), nullable=True))
        for name in ("month_days", "nth_weekdays", "only"):
            batch_op.add_column(sa.Column(name, sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("template", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("owner", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("targets", sa.JSON(), nullable=True))
    _fill("session_rule", every_weeks=1, month_days=[], nth_weekdays=[], only=[], targets=[])
    with op.batch_alter_table("session_rule") as batch_op:
        batch_op.alter_column("every_weeks", existing_type=sa.Integer(), nullable=False)
        for name in ("month_days", "nth_weekdays", "only", "targets"):
            batch_op.alter_column(name, existing_type=sa.JSON(), nullable=False)
        batch_op.create_foreign_key(batch_op.f("fk_session_rule_owner_unit"), "unit", ["owner"], ["code"])
        batch_op.create_foreign_key(
            batch_op.f("fk_session_rule_station_week_template"),
            "week_template",
            ["station", "template"],
            ["station", "id"],
        )
    op.create_table(
        "session_exception",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("session", sa.String(length=40), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("change", sa.String(length=20), nullable=False),
        sa.Column("following", sa.Boolean(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("to_day", sa.Date(), nullable=True),
        sa.Column("to_start", sa.Time(), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["station", "session"],
            ["session_rule.station", "session_rule.id"],
            name=op.f("fk_session_exception_station_session_rule"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_exception")),
    )
    with op.batch_alter_table("session_exception") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_session_exception_station_session_exception_session"), ["station", "session"], unique=False
        )
    op.create_table(
        "calendar_day",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("works_as", sa.Integer(), nullable=True),
        sa.Column("document", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("day", "kind", "source", name=op.f("pk_calendar_day")),
    )


def _upgrade_duties() -> None:
    with op.batch_alter_table("duty") as batch_op:
        batch_op.add_column(sa.Column("until", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("topics", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("counting", sa.String(length=20), nullable=True))
        batch_op.add_column(sa.Column("deadline_days", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("deadline_at", sa.Time(), nullable=True))
        batch_op.add_column(sa.Column("warn_days", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("least_share", sa.Float(), nullable=True))
        batch_op.alter_column("programme", existing_type=sa.String(length=40), nullable=True)
    _fill(
        "duty",
        topics=[],
        counting="airings",
        deadline_days=0,
        deadline_at=time(0),
        warn_days=2,
        least_share=1.0,
    )
    with op.batch_alter_table("duty") as batch_op:
        batch_op.alter_column("topics", existing_type=sa.JSON(), nullable=False)
        batch_op.alter_column("counting", existing_type=sa.String(length=20), nullable=False)
        batch_op.alter_column("deadline_days", existing_type=sa.Integer(), nullable=False)
        batch_op.alter_column("deadline_at", existing_type=sa.Time(), nullable=False)
        batch_op.alter_column("warn_days", existing_type=sa.Integer(), nullable=False)
        batch_op.alter_column("least_share", existing_type=sa.Float(), nullable=False)
        # Versions of one code follow each other.
        batch_op.drop_constraint("pk_duty", type_="primary")
        batch_op.create_primary_key("pk_duty", ["code", "since"])
    op.create_table(
        "excuse",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("duty", sa.String(length=40), nullable=True),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("document", sa.String(length=500), nullable=False),
        sa.Column("reason_vi", sa.String(length=2000), nullable=False),
        sa.Column("reason_en", sa.String(length=2000), nullable=False),
        sa.Column("granted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("granted_by", sa.String(length=16), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.String(length=16), nullable=True),
        sa.ForeignKeyConstraint(["station"], ["station.code"], name=op.f("fk_excuse_station_station")),
        sa.ForeignKeyConstraint(["granted_by"], ["person.id"], name=op.f("fk_excuse_granted_by_person")),
        sa.ForeignKeyConstraint(["revoked_by"], ["person.id"], name=op.f("fk_excuse_revoked_by_person")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_excuse")),
    )
    with op.batch_alter_table("excuse") as batch_op:
        batch_op.create_index(batch_op.f("ix_excuse_station_excuse_first"), ["station", "first"], unique=False)
    op.create_table(
        "duty_outcome",
        sa.Column("station", sa.String(length=40), nullable=False),
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("duty", sa.String(length=40), nullable=False),
        sa.Column("period", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("deadline", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("station", "seq", name=op.f("pk_duty_outcome")),
    )
    with op.batch_alter_table("duty_outcome") as batch_op:
        batch_op.create_index(
            batch_op.f("ix_duty_outcome_period_duty_outcome_station_duty_outcome_duty"),
            ["period", "station", "duty"],
            unique=False,
        )


def _deferred_key(batch_op: BatchOperations, name: str, table: str) -> None:
    batch_op.create_foreign_key(batch_op.f(name), table, ["successor"], ["code"], deferrable=True, initially="DEFERRED")


def _fill(name: str, **values: object) -> None:
    columns: list[sa.ColumnClause[Any]] = []
    for key, value in values.items():
        column: sa.ColumnClause[Any] = sa.column(key, sa.JSON()) if isinstance(value, list | dict) else sa.column(key)
        columns.append(sa.column(key, sa.Time()) if isinstance(value, time) else column)
    op.execute(sa.update(sa.table(name, *columns)).values(**values))


def downgrade() -> None:
    """Take back. Of each duty its newest version stays, without those that count any programme."""
    op.drop_table("duty_outcome")
    op.drop_table("excuse")
    op.execute("DELETE FROM duty WHERE programme IS NULL")
    op.execute("DELETE FROM duty WHERE since < (SELECT max(d.since) FROM duty d WHERE d.code = duty.code)")
    with op.batch_alter_table("duty") as batch_op:
        batch_op.drop_constraint("pk_duty", type_="primary")
        batch_op.create_primary_key("pk_duty", ["code"])
        batch_op.alter_column("programme", existing_type=sa.String(length=40), nullable=False)
        for name in ("until", "topics", "counting", "deadline_days", "deadline_at", "warn_days", "least_share"):
            batch_op.drop_column(name)
    op.drop_table("calendar_day")
    op.drop_table("session_exception")
    with op.batch_alter_table("session_rule") as batch_op:
        batch_op.drop_constraint("fk_session_rule_station_week_template", type_="foreignkey")
        batch_op.drop_constraint("fk_session_rule_owner_unit", type_="foreignkey")
        for name in ("every_weeks", "anchor", "month_days", "nth_weekdays", "only", "template", "owner", "targets"):
            batch_op.drop_column(name)
    op.drop_table("week_template")
    for name in ("segment", "one_off"):
        with op.batch_alter_table(name) as batch_op:
            batch_op.drop_column("priority")
    with op.batch_alter_table("segment") as batch_op:
        batch_op.drop_column("episode")
    _downgrade_programme()
    with op.batch_alter_table("station") as batch_op:
        batch_op.drop_constraint("fk_station_successor_station", type_="foreignkey")
        for name in ("quiet", "limits", "groups", "valid_from", "valid_until", "successor", "ended_by"):
            batch_op.drop_column(name)
    with op.batch_alter_table("unit") as batch_op:
        batch_op.drop_constraint("fk_unit_successor_unit", type_="foreignkey")
        batch_op.drop_column("successor")


def _downgrade_programme() -> None:
    with op.batch_alter_table("programme") as batch_op:
        batch_op.add_column(sa.Column("repeats", sa.Boolean(), nullable=True))
    op.execute("UPDATE programme SET repeats = (CAST(otherwise AS TEXT) LIKE '%repeat%')")
    with op.batch_alter_table("programme") as batch_op:
        batch_op.alter_column("repeats", existing_type=sa.Boolean(), nullable=False)
        for name in ("order", "otherwise", "separation_s"):
            batch_op.drop_column(name)
