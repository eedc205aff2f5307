"""The running Loa: every part built and joined here, started in order, stopped in reverse."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from audio.aircheck import AircheckShelf
from audio.ingest import IngestLimits, ingest
from audio.library import Library
from config import Config, StationOutputs, session_secret
from house import reportmail
from house.delivering import SEND_S, Deliverer
from house.equipment import health_of, inputs_of, outputs_of, voices_of
from house.following import Follower
from house.forgetting import forget
from house.looking import LOOK_S, Looker
from house.noticing import LOOK_S as NOTICE_S
from house.noticing import Lookout
from house.salvage import keep_remainders
from house.serving import Certificate, serve
from house.tending import TEND_S, Tender, clusters_of
from link import certificates
from link.control import ControlSocket, Handler
from link.holidays import national_days
from link.keys import load_or_make, sign
from link.manifest import for_station, keep, seal, unseal
from link.orders import OrderKeys
from link.outward import Outward
from playout.daemon import Equip, StationDaemon
from playout.ears.heardfiles import HeardFiles
from playout.equipment import Equipment
from playout.faults import FaultBook
from playout.journal.journal import RESERVE_BYTES, Journal, Row, newest_state
from playout.notifying import Heartbeat, Notifier, Watchdog, feed_every_s, take_note, why_started
from playout.player.playerkeeper import Player
from playout.player.playerprocess import PlayerProcess
from playout.proofs.proofmaking import ProofMaker
from playout.supervisor import Supervisor, Work
from playout.systemclock import SystemClock, boot_id
from schedules.errors import ConfigError, IntentMissing, JournalBroken, LoaError
from schedules.findings import Finding, Severity
from schedules.intent import Intent
from schedules.text import Text
from store import calendar_days
from store.database import Database
from store.intent import load_intent
from store.revision import bump
from webui.app import create_app
from webui.emergencies import deliver
from webui.intake import Intake
from webui.portal import fetch_all
from webui.publishing import make_media
from webui.services import OrderSigners, Services, WebSettings
from webui.speaking import Speaking
from webui.talking import sweep
from webui.voices import check_waiting

_log = structlog.get_logger()

WEB_THREADS = 8
STOP_S = 2.0
DELIVER_S = 2
"""How often orders that a station has not taken yet are sent again, seconds."""

MOST_SPARES = 8
"""Stations on one machine up to which each keeps a spare player process."""

SWEEP_S = 2
OUTSIDERS_S = 15
"""How often talks are looked for whose browser fell silent, seconds."""

FIRST_YEAR, LAST_YEAR = -1, 5
"""The years whose holidays the store knows, counted from the present one."""


class AlreadyRunning(LoaError):
    """Another Loa holds this DATA."""


class House:
    """All parts of one machine's Loa. `open` gives store, keys and library; `start` also airs and serves."""

    def __init__(self, config: Config, *, environment: Mapping[str, str] = os.environ) -> None:
        self.config = config
        self.data = config.data
        self.version = version("loa")
        self.library = Library(self.data / "media")
        self.database = Database(environment.get("LOA_DATABASE_URL", f"sqlite:///{self.data / 'loa.db'}"))
        self.clock = SystemClock(host=config.clock.source == "host")
        self.daemons: dict[str, StationDaemon] = {}
        self.port = config.web.port
        self._environment = environment
        self._lock: int | None = None
        self._journals: dict[str, Journal] = {}
        self._supervisor = Supervisor()
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        )
        self._signers: OrderSigners | None = None
        self._heartbeat = Heartbeat(self.clock)
        self._notifier = Notifier(environment.get("NOTIFY_SOCKET"))
        self._services: Services | None = None
        self._looker: Looker | None = None
        self._sealed: dict[str, tuple[int, Intent]] = {}
        self._sealing = threading.Lock()
        self._intake: Intake | None = None
        self.app: Flask | None = None
        self._server: Any = None
        self._certificate: Certificate | None = None
        self._web: threading.Thread | None = None
        self._control: ControlSocket | None = None

    @property
    def intake(self) -> Intake:
        """Where uploads go; only between `start_intake` and `stop`."""
        if self._intake is None:
            raise RuntimeError("the intake was not started")
        return self._intake

    @property
    def intake_running(self) -> bool:
        """Whether recordings are being taken in."""
        return self._intake is not None

    def link_to(self, path: str) -> str:
        """Return the full address of a page on this machine."""
        host = "127.0.0.1" if self.config.web.host in ("0.0.0.0", "::", "") else self.config.web.host
        scheme = "http" if self.config.web.tls.kind == "off" else "https"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.port}{path}"

    @property
    def tls_folder(self) -> Path:
        """Where the certificates lie that `loa tls` makes."""
        return self.data / "tls"

    def open(self) -> None:
        """Take the lock on DATA and open store and keys. Raises AlreadyRunning, ConfigError."""
        self.hold()
        self.library_root.mkdir(exist_ok=True)
        # Made here and not as somebody's parent folder: those are open to all.
        run = self.data / "run"
        run.mkdir(mode=0o700, exist_ok=True)
        run.chmod(0o700)
        self.database.start()

    def hold(self) -> None:
        """Take the lock on DATA; the store may be broken. Raises AlreadyRunning, ConfigError."""
        try:
            self.data.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = os.open(self.data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            text = Text(
                f"Không ghi được vào thư mục dữ liệu {self.data}.", f"The data folder {self.data} cannot be written."
            )
            raise ConfigError(Finding(code="data", severity=Severity.ERROR, where="data", message=text)) from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            self._lock = None
            raise AlreadyRunning(str(self.data)) from error

    @property
    def library_root(self) -> Path:
        """The folder of the canonical files."""
        return self.data / "media"

    def start_intake(self) -> None:
        """Start to take recordings in."""
        limits = IngestLimits(
            max_bytes=self.config.limits.upload_mb * 1024 * 1024, max_seconds=self.config.limits.hours * 3600.0
        )
        self._voices = voices_of(self.config.speech)
        self._intake = Intake(
            database=self.database,
            clock=self.clock,
            library=self.library,
            data=self.data,
            limits=limits,
            ingest=Speaking(ingest, database=self.database, engines=self._voices),
        )
        self._intake.start()

    def start(self, handlers: Mapping[str, Handler]) -> None:
        """Start everything that config.yaml gives to this machine."""
        authority = load_or_make(self.data / "keys" / "authority.ed25519")
        boot = boot_id()
        note = self.data / "run" / "hung.json"
        hung = take_note(note)
        self.clock = self._trusting_clock(boot)
        for station in self.config.stations:
            key = load_or_make(self.data / "keys" / f"station-{station.code}.ed25519")
            path = self.journal_path(station.code)
            journal = Journal(path, clock=self.clock, boot=boot, key=key, reserve_bytes=RESERVE_BYTES)
            try:
                journal.start()
            except (JournalBroken, sqlite3.DatabaseError) as error:
                # Nothing is chained onto a lie, and the other stations are not to blame: this one stays silent.
                _log.error("journal_broken", station=station.code, error=str(error))
                continue
            self._journals[station.code] = journal
        self._write_calendar()
        follower = Follower(self.database, self._journals, self.clock)
        self._signers = OrderSigners(
            real=load_or_make(self.data / "keys" / "emergency.ed25519"),
            drill=load_or_make(self.data / "keys" / "drill.ed25519"),
        )
        for station in self.config.stations:
            code = station.code
            if code not in self._journals:
                continue
            folder = self.data / "aircheck" / code
            daemon = StationDaemon(
                code=code,
                outputs=outputs_of(station),
                clock=self.clock,
                journal=self._journals[code],
                library=self.library,
                shelf=AircheckShelf(folder),
                aircheck=folder,
                intent=_reader(self, code, authority),
                make_player=_player_maker(code),
                on_row=_ringer(follower, code),
                keys=OrderKeys(real=self._signers.real.verify_key, drill=self._signers.drill.verify_key),
                inputs=inputs_of(station),
                folder=self.data / "run" / code,
                equip=self._equipping(station),
                confirm=self.clock.confirm,
                make_proof=self._proof_maker(code).make,
                why_started=partial(why_started, boot=boot, monotonic=self.clock.monotonic(), hung=hung),
                # Many stations on one machine: their spares would cost more memory than all else.
                spare=len(self.config.stations) <= MOST_SPARES
                and any(output.kind != "virtual" for output in station.outputs),
                on_step=partial(self._heartbeat.beat, code),
            )
            self.daemons[code] = daemon
            self._supervisor.start(Work(name=f"station-{code}", run=daemon.run, broken=daemon.broken))
        watchdog = Watchdog(
            heartbeat=self._heartbeat, notifier=self._notifier, note=note, every_s=feed_every_s(self._environment)
        )
        self._supervisor.start(Work(name="watchdog", run=watchdog.run, broken=_tell("watchdog")))
        self._supervisor.start(Work(name="follower", run=follower.run, broken=_tell("follower")))
        self.start_intake()
        self._serve()
        self._keep_house()
        self._control = ControlSocket(self.data / "loa.sock", handlers)
        self._control.start()
        self._notifier.tell("READY=1")

    def stop(self) -> None:
        """Stop everything in reverse; whatever plays falls silent at once."""
        self._notifier.tell("STOPPING=1")
        if self._control is not None:
            self._control.stop()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)
        if self._server is not None:
            self._server.close()
        if not self._supervisor.stop(STOP_S):
            _log.warning("workers_still_running")
        if self._intake is not None:
            self._intake.stop()
        for journal in self._journals.values():
            journal.stop()
        self.database.stop()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def wake(self) -> None:
        """Tell every station that there is new intent."""
        for daemon in self.daemons.values():
            daemon.wake()

    def journal_path(self, code: str) -> Path:
        """Return where a station's journal lies."""
        return self.data / "journal" / f"{code}.db"

    def intent(self) -> Intent:
        """Return everything that is decided now."""
        with self.database.reading() as session:
            return load_intent(session, self.clock.now(), demo=self.config.demo)

    def station_intent(self, code: str, authority: Any) -> Intent:  # noqa: ANN401 - nacl's key, untyped
        """Return what station `code` must obey: signed here, kept beside its journal, verified as in a fleet.

        A store that cannot be read does not silence a station: it goes on with the last document it has.
        """
        path = self.data / "intent" / f"{code}.json"
        try:
            with self.database.reading() as session:
                intent = load_intent(session, self.clock.now(), demo=self.config.demo)
        except SQLAlchemyError:
            _log.exception("intent_unreadable", station=code)
            return unseal(_kept(path), authority.verify_key)
        if all(station.code != code for station in intent.stations):
            raise IntentMissing(f"the store knows no station {code}")
        with self._sealing:
            known = self._sealed.get(code)
            if known is not None and known[0] == intent.revision:
                return known[1]
            document = seal(for_station(intent, code), authority)
            keep(path, document)
            mine = unseal(document, authority.verify_key)
            self._sealed[code] = (intent.revision, mine)
            return mine

    def _proof_maker(self, code: str) -> ProofMaker:
        """Return what makes proof files of a station's airings."""
        key = load_or_make(self.data / "keys" / f"station-{code}.ed25519")
        return ProofMaker(
            station=code,
            journal=self._journals[code],
            shelf=AircheckShelf(self.data / "aircheck" / code),
            heard=self.data / "heard" / code,
            library=self.library,
            clock=self.clock,
            sign=partial(sign, key),
        )

    def _equipping(self, station: StationOutputs) -> Equip:
        """Return what builds the equipment of a station."""

        def equip(*, faults: FaultBook, append: Callable[[str, dict[str, Any]], None]) -> Equipment:
            return Equipment(
                outputs=outputs_of(station),
                inputs=inputs_of(station),
                folder=self.data / "run" / station.code,
                heard=self.data / "heard" / station.code,
                data=self.data,
                media=self.library,
                shelf=AircheckShelf(self.data / "aircheck" / station.code),
                health=health_of(self.config.health),
                clock=self.clock,
                faults=faults,
                append=append,
            )

        return equip

    def _trusting_clock(self, boot: str) -> SystemClock:
        newest: datetime | None = None
        carried_on: float | None = None
        for station in self.config.stations:
            state = newest_state(self.journal_path(station.code))
            if state.time is not None and (newest is None or state.time > newest):
                newest = state.time
            if state.boot == boot and state.trusted and state.offset_s is not None:
                carried_on = state.offset_s
        return SystemClock(host=self.config.clock.source == "host", newest=newest, carried_on=carried_on)

    def _serve(self) -> None:
        if "authority" not in self.config.role:
            return
        self._certificate, names = self._open_certificate()
        settings = WebSettings(
            secret_key=session_secret(self.data, self._environment),
            trusted_hosts=("127.0.0.1", "localhost", "[::1]", self.config.web.host, *self.config.web.hosts, *names),
            base_url=self.config.web.base_url or None,
            secure=self._certificate is not None,
            root=certificates.root_file(self.tls_folder) if self.config.web.tls.kind == "private" else None,
            machine=_shown(self.config),
            max_upload_bytes=self.config.limits.upload_mb * 1024 * 1024,
            most_drafts=self.config.limits.drafts,
        )
        services = Services(
            database=self.database,
            clock=self.clock,
            doors=self.daemons,
            library=self.library,
            intake=self.intake,
            settings=settings,
            data=self.data,
            demo=self.config.demo,
            version=self.version,
            order_keys=self._signers,
            speech=self._voices,
            outward=Outward(inside=frozenset(one.lower() for one in self.config.web.inside)),
        )
        self._services = services
        self._looker = Looker(database=self.database, doors=services.doors, clock=self.clock)
        try:
            self.app = create_app(services)
            self._server = serve(
                self.app,
                self._certificate,
                host=self.config.web.host,
                port=self.config.web.port,
                threads=WEB_THREADS,
                ident=None,
                max_request_body_size=(self.config.limits.upload_mb + 16) * 1024 * 1024,
                # Slow senders hold a connection each, but no thread: with 100 of them nobody else was served.
                connection_limit=1000,
                asyncore_use_poll=True,
                channel_timeout=30,
                cleanup_interval=10,
            )
        except OSError as error:
            text = Text(
                f"Không mở được {self.config.web.listen}: có chương trình khác đang dùng cổng này.",
                f"{self.config.web.listen} cannot be opened: another program uses this port.",
            )
            hint = Text("Đổi web.listen, hoặc dùng --listen.", "Change web.listen, or use --listen.")
            raise ConfigError(
                Finding(code="listen", severity=Severity.ERROR, where="web.listen", message=text, hint=hint)
            ) from error
        keep_remainders(self._server)
        self.port = self._server.effective_port
        self._web = threading.Thread(target=self._server.run, name="web", daemon=True)
        self._web.start()

    def _open_certificate(self) -> tuple[Certificate | None, tuple[str, ...]]:
        """Return what the pages are encrypted with, and the names it is good for. Raises ConfigError."""
        tls = self.config.web.tls
        if tls.kind == "off":
            return None, ()
        if tls.kind == "private":
            known = certificates.read(self.tls_folder)
            certificates.renew(self.tls_folder, self.clock.now())
            files, names = certificates.served_files(self.tls_folder), known.names
        else:
            assert tls.certificate is not None
            assert tls.key is not None
            files, names = (tls.certificate, tls.key), ()
        made = Certificate(*files)
        try:
            made.load()
        except OSError as error:
            text = Text(
                f"Không dùng được chứng chỉ hoặc khóa: {error}", f"The certificate or its key cannot be used: {error}"
            )
            hint = Text("Chạy: loa tls issue TÊN…", "Run: loa tls issue NAME…") if tls.kind == "private" else None
            raise ConfigError(
                Finding(code="tls", severity=Severity.ERROR, where="web.tls", message=text, hint=hint)
            ) from error
        return made, names

    def _renew(self) -> None:
        """Make the pages' certificate anew before it ends, and take up one that somebody put in its place."""
        if self._certificate is None:
            return
        if self.config.web.tls.kind == "private":
            certificates.renew(self.tls_folder, self.clock.now())
        self._certificate.load()

    def _write_calendar(self) -> None:
        """Keep the holidays of the years around this one in the store; decreed days go before them."""
        this_year = self.clock.now().year
        years = range(this_year + FIRST_YEAR, this_year + LAST_YEAR + 1)
        days = national_days(years)
        with self.database.writing() as session:
            changed = calendar_days.set_national(session, days, years)
            if changed:
                bump(session)
        if changed:
            self.wake()

    def _keep_house(self) -> None:
        self._scheduler.add_job(self.wake, "interval", seconds=60, id="wake")
        self._scheduler.add_job(self._deliver, "interval", seconds=DELIVER_S, id="deliver")
        self._scheduler.add_job(self._end_silent_talks, "interval", seconds=SWEEP_S, id="talks")
        self._scheduler.add_job(self._look, "interval", seconds=LOOK_S, id="look")
        self._scheduler.add_job(self._look_into_feeds, "interval", hours=6, id="feeds")
        self._scheduler.add_job(self._purge, "interval", hours=6, id="purge")
        self._scheduler.add_job(self._serve_outsiders, "interval", seconds=OUTSIDERS_S, id="outsiders")
        self._scheduler.add_job(self._forget, "interval", hours=6, id="forget")
        self._scheduler.add_job(self._send_reports, "interval", seconds=reportmail.EVERY_S, id="reports")
        self._scheduler.add_job(self._write_calendar, "interval", hours=24, id="calendar")
        if "authority" in self.config.role:
            lookout = Lookout(
                database=self.database, clock=self.clock, doors=self.daemons, base_url=self.config.web.base_url
            )
            sender = Deliverer(
                database=self.database, clock=self.clock, private_webhooks=self.config.notices.private_webhooks
            )
            tender = Tender(
                database=self.database,
                clock=self.clock,
                doors=self.daemons,
                clusters=clusters_of(self.config.stations),
                demo=self.config.demo,
                base_url=self.config.web.base_url or "",
            )
            self._scheduler.add_job(lookout.run, "interval", seconds=NOTICE_S, id="notices")
            self._scheduler.add_job(tender.run, "interval", seconds=TEND_S, id="equipment")
            self._scheduler.add_job(tender.daily, "cron", hour=1, id="equipment-daily")
            self._scheduler.add_job(sender.run, "interval", seconds=SEND_S, id="messages")
            self._scheduler.add_job(sender.clear, "interval", hours=24, id="messages-clear")
            self._scheduler.add_job(self._renew, "interval", hours=6, id="certificate")
        self._scheduler.start()

    def _deliver(self) -> None:
        """Send emergency orders again that a station has not taken, and learn what became of the others."""
        if self._services is not None:
            deliver(self._services)

    def _look(self) -> None:
        """Count what aired, and keep what the stations say of duties and of what was sent to them."""
        if self._looker is not None:
            self._looker.look()

    def _look_into_feeds(self) -> None:
        """Bring what feeds of portals tell."""
        if self._services is not None:
            fetch_all(self._services)

    def _end_silent_talks(self) -> None:
        """End live talks whose browser is gone."""
        if self._services is not None:
            sweep(self._services)

    def _serve_outsiders(self) -> None:
        """Make what villagers spoke fit to be heard, and what is public ready for listeners."""
        if self._services is not None:
            check_waiting(self._services)
            make_media(self._services)

    def _forget(self) -> None:
        """Delete what contributors sent when its time is over."""
        forget(self.database, self.data, self.clock)

    def _send_reports(self) -> None:
        """Queue reports by mail that are due."""
        reportmail.send_reports(self._services)

    def _purge(self) -> None:
        before = self.clock.now() - timedelta(days=self.config.retention.aircheck_days)
        for station in self.config.stations:
            AircheckShelf(self.data / "aircheck" / station.code).purge(before)
            HeardFiles(self.data / "heard" / station.code).purge(before)


def _shown(config: Config) -> tuple[tuple[str, str], ...]:
    """Return what config.yaml says of this machine, as the page of settings shows it; there are no secrets in it."""
    return (
        ("role", ", ".join(config.role)),
        ("data", str(config.data)),
        ("web.listen", config.web.listen),
        ("web.hosts", ", ".join(config.web.hosts) or "—"),
        ("web.base_url", config.web.base_url or "—"),
        ("web.tls.kind", config.web.tls.kind),
        ("notices.private_webhooks", str(config.notices.private_webhooks).lower()),
        ("limits.upload_mb", str(config.limits.upload_mb)),
        ("limits.hours", f"{config.limits.hours:g}"),
        ("limits.drafts", str(config.limits.drafts)),
        ("retention.aircheck_days", str(config.retention.aircheck_days)),
        ("stations", ", ".join(station.code for station in config.stations) or "—"),
    )


def _kept(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise IntentMissing(f"the store cannot be read, and {path.name} neither") from error


def _reader(house: House, code: str, authority: Any) -> Callable[[], Intent]:  # noqa: ANN401 - nacl's key, untyped
    return lambda: house.station_intent(code, authority)


def _ringer(follower: Follower, code: str) -> Callable[[Row], None]:
    return lambda row: follower.ring(code, row)


def _player_maker(code: str) -> Callable[..., Player]:
    def make(*, on_event: Callable[..., None], on_exit: Callable[[int], None]) -> Player:
        return PlayerProcess(station=code, on_event=on_event, on_exit=on_exit)

    return make


def _tell(name: str) -> Callable[[Exception], None]:
    return lambda error: _log.warning("worker_restarts", worker=name, error=type(error).__name__)
