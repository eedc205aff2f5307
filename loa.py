"""The command line: `loa run` and everything beside it; each command does one thing, its exit code says the outcome."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click
import structlog

import config as settings
from house import orders, verifying
from house.building import AlreadyRunning, House
from house.demonstration import Demonstration, Login
from house.keeping import restore as restore_backup
from house.sheet import plan_answer, programme_sheet
from link import certificates
from link.codec import dump, load
from link.control import NotRunning, ask
from link.scenario import Scenario
from link.scenariofile import BadScenario, read
from playout.journal.journalcheck import Witness
from schedules.calendar import FIRST_YEAR, LAST_YEAR, period_of
from schedules.checking import check_grid
from schedules.errors import ConfigError, JournalBroken, LoaError, Refused
from schedules.findings import Finding, Severity
from schedules.planner import plan as plan_station
from schedules.text import Text
from store import invitations

DONE, NOT_SO, WRONG = 0, 1, 2
"""Exit codes: done; the thing asked about is not so; wrong usage or configuration."""

SCENARIOS = Path(__file__).parent / "schedules" / "scenarios"
"""Those that come with Loa."""


def _say(vi: str, en: str) -> None:
    click.echo(f"{vi}  ·  {en}", err=True)


def _show(findings: tuple[Finding, ...]) -> None:
    for finding in findings:
        where = f"{finding.where}: " if finding.where else ""
        _say(f"[{finding.severity}] {where}{finding.message.vi}", finding.message.en)
        if finding.hint is not None:
            _say(f"    {finding.hint.vi}", finding.hint.en)


def _answer(data: object, as_json: bool, lines: Callable[[], None]) -> None:
    if as_json:
        click.echo(json.dumps(data, ensure_ascii=False))
    else:
        lines()


def _finding(code: str, message: Text) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, message=message)


def _guarded(command: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the errors that Loa raises on purpose into sentences and exit codes; with `--json` the findings as well."""

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - whatever click gives
        try:
            return command(*arguments, **options)
        except (ConfigError, BadScenario) as error:
            findings, code = error.findings, WRONG
        except Refused as error:
            findings, code = error.findings, NOT_SO
        except JournalBroken as error:
            text = Text(f"Nhật ký hỏng ở dòng {error.seq}.", f"The journal is broken: {error}")
            findings, code = (_finding("journal_broken", text),), NOT_SO
        except AlreadyRunning as error:
            text = Text(f"Loa khác đang dùng {error}.", f"Another Loa uses {error}.")
            findings, code = (_finding("already_running", text),), WRONG
        except LoaError as error:
            findings, code = (_finding("failed", Text("Không làm được.", str(error))),), NOT_SO
        _show(findings)
        if options.get("as_json"):
            click.echo(json.dumps({"findings": [dump(finding) for finding in findings]}, ensure_ascii=False))
        sys.exit(code)

    return run


def _options(command: Callable[..., Any]) -> Callable[..., Any]:
    command = click.option("--data", type=click.Path(path_type=Path), help="Where everything is, over config.yaml.")(
        command
    )
    return click.option(
        "--config",
        "config_file",
        type=click.Path(path_type=Path),
        default=lambda: os.environ.get("LOA_CONFIG", "config.yaml"),
        help="The settings of this machine.",
        show_default="config.yaml",
    )(command)


def _settings(config_file: Path, data: Path | None, listen: str | None = None) -> settings.Config:
    environment = dict(os.environ)
    if data is not None:
        environment["LOA_DATA"] = str(data.absolute())
    if listen is not None:
        environment["LOA_LISTEN"] = listen
    return settings.load(config_file, environment)


def _order(config: settings.Config, name: str, parameters: Mapping[str, Any]) -> Any:  # noqa: ANN401 - plain JSON
    """Have an order done by the Loa that runs on this DATA, or do it here where none runs."""
    try:
        return ask(config.data / "loa.sock", name, parameters)
    except NotRunning:
        house = House(config)
        house.open()
        try:
            return orders.ORDERS[name](house, parameters)
        finally:
            house.stop()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Loa schedules, airs and proves the broadcasts of commune loudspeaker stations."""


@main.command()
@_options
@click.option("--listen", help="HOST:PORT of the pages, over config.yaml.")
@_guarded
def run(config_file: Path, data: Path | None, listen: str | None) -> None:
    """Run everything that config.yaml gives to this machine, until Ctrl-C."""
    _quiet_logs()
    config = _settings(config_file, data, listen)
    ending = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ending.set())
    house = House(config)
    house.open()
    demonstration = Demonstration(house, say=lambda line: click.echo(f"  {line}", err=True)) if config.demo else None
    try:
        logins: tuple[Login, ...] = demonstration.prepare() if demonstration is not None else ()
        if demonstration is None:
            orders.found_stations(house)
        house.start({name: _bound(order, house) for name, order in orders.ORDERS.items()})
        _greet(house, logins)
        if demonstration is not None:
            demonstration.start()
        ending.wait()
        _say("Đang dừng…", "Stopping…")
    finally:
        if demonstration is not None:
            demonstration.stop()
        house.stop()
    # Threads of libraries may still sleep; nothing of them matters any more.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(DONE)


def _bound(order: orders.Order, house: House) -> Callable[[Mapping[str, Any]], Mapping[str, Any]]:
    return lambda parameters: order(house, parameters)


def _greet(house: House, logins: tuple[Login, ...]) -> None:
    _say(f"Loa phục vụ tại {house.link_to('/')}", f"Loa is serving at {house.link_to('/')}")
    with house.database.writing() as session:
        needed = invitations.setup_link_needed(session)
        secret = invitations.issue(session, None, house.clock.now()) if needed else None
    if secret is not None:
        link = house.link_to(f"/thiet-lap/{secret}")
        _say(f"Thiết lập lần đầu (dùng một lần, trong 24 giờ): {link}", "first set-up, works once, for 24 hours")
    if logins:
        _say("Tài khoản trình diễn, mật khẩu chỉ hiện lần này:", "demonstration accounts, shown only now:")
        for login in logins:
            click.echo(f"  {login.name:22} {login.password:30} {login.role:10} {login.full_name}", err=True)


@main.command()
@_options
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@_guarded
def check(config_file: Path, data: Path | None, as_json: bool) -> None:
    """Check configuration, grid, audio, sound device and clock, without going on air."""
    answer = _order(_settings(config_file, data), "check", {})
    findings = tuple(load(Finding, finding) for finding in answer["findings"])
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
    else:
        _show(findings)
        if not findings:
            _say("Không thấy vấn đề nào.", "Nothing was found.")
    sys.exit(NOT_SO if any(finding.severity == "error" for finding in findings) else DONE)


@main.group()
def tls() -> None:
    """HTTPS with certificates of your own: a private root that phones install, and what is served under it."""


@tls.command("init")
@click.option(
    "--authority", default="Đài truyền thanh xã", show_default=True, help="Whose root it is, as phones show it."
)
@click.option(
    "--domain", "domains", multiple=True, help="A name outside of .local, .lan, .internal that it covers too."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@_options
@_guarded
def tls_init(authority: str, domains: tuple[str, ...], as_json: bool, config_file: Path, data: Path | None) -> None:
    """Make the private root; its key stays in DATA/tls and signs for this network's names only."""
    folder = _settings(config_file, data).data / "tls"
    made = certificates.make_root(folder, authority=authority, domains=domains, now=datetime.now(UTC))
    _answer(_told(folder, made), as_json, lambda: _show_certificates(folder, made))


@tls.command("issue")
@click.argument("names", nargs=-1, required=True)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@_options
@_guarded
def tls_issue(names: tuple[str, ...], as_json: bool, config_file: Path, data: Path | None) -> None:
    """Make the pages' certificate for names and addresses such as loa.lan 192.168.1.10."""
    folder = _settings(config_file, data).data / "tls"
    made = certificates.issue(folder, names, datetime.now(UTC))
    _answer(_told(folder, made), as_json, lambda: _show_certificates(folder, made))


@tls.command("show")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@_options
@_guarded
def tls_show(as_json: bool, config_file: Path, data: Path | None) -> None:
    """Show whose root there is, for which names, until when, and where the file for phones lies."""
    folder = _settings(config_file, data).data / "tls"
    known = certificates.read(folder)
    _answer(_told(folder, known), as_json, lambda: _show_certificates(folder, known))
    sys.exit(NOT_SO if known.due(datetime.now(UTC)) else DONE)


def _told(folder: Path, known: certificates.Certificates) -> dict[str, Any]:
    return {
        "authority": known.authority,
        "fingerprint": known.fingerprint,
        "root": str(certificates.root_file(folder)),
        "root_until": known.root_until.isoformat(),
        "names": list(known.names),
        "until": None if known.until is None else known.until.isoformat(),
    }


def _show_certificates(folder: Path, known: certificates.Certificates) -> None:
    click.echo(f"{known.authority}  SHA-256 {known.fingerprint}")
    click.echo(f"{certificates.root_file(folder)}  {known.root_until:%Y-%m-%d}")
    if known.until is None:
        _say("Chưa có chứng chỉ cho trang. Chạy: loa tls issue TÊN…", "Nothing to serve with yet: loa tls issue NAME…")
        return
    click.echo(f"{', '.join(known.names)}  {known.until:%Y-%m-%d}")
    _say("Đặt web.tls.kind: private rồi khởi động lại Loa.", "Set web.tls.kind: private and restart Loa.")


@main.group()
def user() -> None:
    """Accounts of people."""


@user.command("add")
@click.argument("name")
@click.option("--role", required=True, type=click.Choice(["operator", "approver", "centre", "inspector", "admin"]))
@click.option("--unit", help="Code of the unit; the topmost one if left out.")
@click.option("--full-name", default="", help="The person's name as it stands in the air log.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@_options
@_guarded
def user_add(
    name: str, role: str, unit: str | None, full_name: str, as_json: bool, config_file: Path, data: Path | None
) -> None:
    """Make an account; prints the one-time link by which its owner chooses a password."""
    config = _settings(config_file, data)
    order = {"name": name, "role": role, "unit": unit, "full_name": full_name}
    answer = _order(config, "user_add", order)
    _answer(answer, as_json, lambda: click.echo(answer["link"]))


@main.command()
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, help="What it may do beyond the ordinary: emergency.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@_options
@_guarded
def token(name: str, scopes: tuple[str, ...], as_json: bool, config_file: Path, data: Path | None) -> None:
    """Print a bearer token for the API that speaks in the name of an account."""
    answer = _order(_settings(config_file, data), "token", {"name": name, "scopes": list(scopes)})
    _answer(answer, as_json, lambda: click.echo(answer["token"]))


@main.command()
@click.argument("code")
@click.option("--name", help="The station's name on pages and in reports.")
@click.option("--hours", help="Permitted hours, local: 05:00-06:30,16:30-18:00; 00:00-00:00 is the whole day.")
@click.option(
    "--self-approval/--no-self-approval", default=None, help="Whether an uploader may approve their own item."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@_options
@_guarded
def station(
    code: str,
    name: str | None,
    hours: str | None,
    self_approval: bool | None,
    as_json: bool,
    config_file: Path,
    data: Path | None,
) -> None:
    """Change a station's name, permitted hours or self-approval; without options, show them."""
    order = {"code": code, "name": name, "hours": hours, "self_approval": self_approval}
    answer = _order(_settings(config_file, data), "station_set", order)
    _answer(answer, as_json, lambda: click.echo(json.dumps(answer, ensure_ascii=False)))


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--station", required=True)
@click.option("--programme", required=True)
@click.option("--title", required=True)
@click.option("--submit", is_flag=True, help="Ask for approval at once.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@_options
@_guarded
def ingest(
    file: Path,
    station: str,
    programme: str,
    title: str,
    submit: bool,
    as_json: bool,
    config_file: Path,
    data: Path | None,
) -> None:
    """Take one recording into the library."""
    order = {"file": str(file.absolute()), "station": station, "programme": programme, "title": title, "submit": submit}
    answer = _order(_settings(config_file, data), "ingest", order)
    _answer(answer, as_json, lambda: click.echo(f"{answer['id']} {answer['state']}"))
    sys.exit(NOT_SO if answer["state"] == "refused" else DONE)


def _day(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    try:
        if value is not None and not FIRST_YEAR <= date.fromisoformat(value).year < LAST_YEAR:
            raise ValueError(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not a day, YYYY-MM-DD") from error
    return value


def _period(_context: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    try:
        if value is not None:
            period_of(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is not a period such as 2026-W48, 2026-11 or 2026") from error
    return value


def _scenario(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Path | None:
    """Return the file of a scenario: a path, or the name of one that comes with Loa."""
    if value is None:
        return None
    path = Path(value)
    # What is meant as a file and is not there is a finding of that file, not wrong usage.
    if path.exists() or path.suffix or path.name != value:
        return path
    shipped = {path.stem: path for path in sorted(SCENARIOS.glob("*.yaml"))}
    if value not in shipped:
        raise click.BadParameter(f"no file {value!r}; with Loa come: {', '.join(shipped)}")
    return shipped[value]


def _station_codes(scenario: Scenario, wanted: str | None) -> list[str]:
    codes = [station.code for station in scenario.stations if wanted in (None, station.code)]
    if not codes:
        raise click.UsageError(f"the scenario has no station {wanted!r}" if wanted else "the scenario has no station")
    return codes


@main.command()
@click.option("--station", help="Code of the station; with --scenario all of them if left out.")
@click.option("--from", "first", callback=_day, help="First local day, YYYY-MM-DD; today if left out.")
@click.option("--days", default=1, show_default=True, type=click.IntRange(1, 366))
@click.option("--scenario", callback=_scenario, help="Plan a scenario file, or one that comes with Loa by its name.")
@click.option("--english", is_flag=True, help="The sheet in English.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@_options
@_guarded
def plan(
    station: str | None,
    first: str | None,
    days: int,
    scenario: Path | None,
    english: bool,
    as_json: bool,
    config_file: Path,
    data: Path | None,
) -> None:
    """Print the plan as a programme sheet: the reason for every item, and what will fulfil every duty."""
    if scenario is not None:
        read_scenario = read(scenario)
        now = read_scenario.now or datetime.now(UTC)
        intent = read_scenario.intent(now)
        plans = []
        for code in _station_codes(read_scenario, station):
            during = orders.local_days(intent.station(code).zone, first, days, now)
            facts = read_scenario.facts_of(code)
            grid = check_grid(intent, intent.station(code), facts, now)
            plans.append(plan_answer(plan_station(intent, facts, now, during), intent, during, grid))
    else:
        if station is None:
            raise click.UsageError("--station or --scenario is needed")
        order = {"station": station, "first": first, "days": days}
        plans = [_order(_settings(config_file, data), "plan", order)]

    def lines() -> None:
        for number, one in enumerate(plans):
            if number:
                click.echo()
            for line in programme_sheet(one, english=english):
                click.echo(line)

    _answer(plans if station is None else plans[0], as_json, lines)


@main.command()
@click.option("--scenario", required=True, callback=_scenario, help="A file, or one that comes with Loa by its name.")
@click.option("--days", default=7, show_default=True, type=click.IntRange(1, 3660))
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0, 2**63 - 1), help="Decides all chance.")
@click.option("--from", "first", callback=_day, help="First local day, YYYY-MM-DD; that of the scenario if left out.")
@click.option("--english", is_flag=True, help="The account in English.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@_guarded
def simulate(scenario: Path, days: int, seed: int, first: str | None, english: bool, as_json: bool) -> None:
    """Live through simulated days with faults; prints how every slot and duty ended, and what was checked."""
    from house.simulationsheet import simulation_answer, simulation_sheet
    from playout.simulation import simulate as live_through

    read_scenario = read(scenario)
    _station_codes(read_scenario, None)
    if first is None and read_scenario.now is None:
        raise click.UsageError("the scenario does not say when it is: --from is needed")
    report = live_through(
        read_scenario, days=days, seed=seed, first_day=None if first is None else date.fromisoformat(first)
    )

    def lines() -> None:
        for line in simulation_sheet(read_scenario, report, english=english):
            click.echo(line)

    _answer(simulation_answer(report), as_json, lines)
    sys.exit(NOT_SO if report.violations else DONE)


@main.command()
@click.option("--period", callback=_period, help="2026-W48, 2026-11 or 2026; the present week if left out.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@_options
@_guarded
def duties(period: str | None, as_json: bool, config_file: Path, data: Path | None) -> None:
    """Print the duty board."""
    rows = _order(_settings(config_file, data), "duties", {"period": period})["duties"]

    def lines() -> None:
        if not rows:
            _say("Kỳ này không có nhiệm vụ nào.", "No duty has this period.")
        for row in rows:
            click.echo(f"{row['period']}  {row['station']:10} {row['state']:9} {row['name']}: {row['reason']}")

    _answer(rows, as_json, lines)


@main.group()
def journal() -> None:
    """The stations' journals."""


def _head(_context: click.Context, _parameter: click.Parameter, value: str | None) -> Witness | None:
    if value is None:
        return None
    seq, _, digest = value.partition(":")
    if not seq.isdigit() or re.fullmatch("[0-9a-f]{64}", digest) is None:
        raise click.BadParameter(f"{value!r} is not NUMBER:HASH, as on a printed report")
    return Witness(int(seq), digest)


@journal.command("verify")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--station", help="Only this station; all if left out.")
@click.option("--head", callback=_head, help="NUMBER:HASH of a row as it is known elsewhere: a cut tail shows by it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@_options
@_guarded
def journal_verify(
    file: Path | None, station: str | None, head: Witness | None, as_json: bool, config_file: Path, data: Path | None
) -> None:
    """Check a journal, or the proof of an airing: names the first bad row, and whose signature it bears."""
    if head is not None and file is None and station is None:
        raise click.UsageError("--head belongs to one journal: give its FILE or --station")
    heads = () if head is None else (head,)
    if file is not None:
        # Also on a machine that has no settings: only no keys are known there.
        folder = _settings(config_file, data).data if config_file.exists() else data or Path("data")
        try:
            results = [verifying.verify_given(file, folder, heads)]
        except OSError as error:
            raise click.UsageError(f"{file} cannot be read: {error.strerror}") from error
    else:
        results = verifying.verify_stations(_settings(config_file, data).data, station, heads)
    if not results:
        raise click.UsageError("there is no journal")

    def lines() -> None:
        for text in (text for result in results for text in verifying.lines(result)):
            click.echo(f"{text.vi}  ·  {text.en}")

    _answer(results[0] if len(results) == 1 else results, as_json, lines)
    sys.exit(DONE if all(result["ok"] for result in results) else NOT_SO)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@_options
@_guarded
def backup(folder: Path, as_json: bool, config_file: Path, data: Path | None) -> None:
    """Write a consistent copy of everything into a new folder, also while Loa runs."""
    answer = _order(_settings(config_file, data), "backup", {"folder": str(folder.absolute())})
    _answer(answer, as_json, lambda: click.echo(f"{answer['files']} files, {answer['bytes']} bytes"))


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@_options
@_guarded
def restore(folder: Path, as_json: bool, config_file: Path, data: Path | None) -> None:
    """Verify a backup and put it in the place of DATA; the former DATA is kept beside it."""
    config = _settings(config_file, data)
    house = House(config)
    house.hold()
    try:
        former = restore_backup(folder, config.data, datetime.now(UTC))
    finally:
        house.stop()
    answer = {"restored": str(config.data), "former": None if former is None else str(former)}
    _answer(answer, as_json, lambda: click.echo(f"{answer['restored']} (former: {answer['former']})"))


@main.command()
@click.argument("name", default="all")
@click.option("--n", "count", type=click.IntRange(1, 100_000), help="Trials; each benchmark has its own default.")
@click.option("--busy", type=click.IntRange(0, 64), default=0, help="So many processes that only compute, beside it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
@_guarded
def bench(name: str, count: int | None, busy: int, as_json: bool) -> None:
    """Run one benchmark, or all; prints its figures and the machine."""
    from house.benching import NAMES
    from house.benching import bench as run_bench

    if name != "all" and name not in NAMES:
        raise click.UsageError(f"no benchmark {name!r}; there are: {', '.join(NAMES)}")
    results = [run_bench(one, count, busy=busy) for one in (NAMES if name == "all" else (name,))]

    def lines() -> None:
        for result in results:
            click.echo(json.dumps(result, ensure_ascii=False, indent=1))

    _answer(results if name == "all" else results[0], as_json, lines)


def _quiet_logs() -> None:
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


if __name__ == "__main__":
    main()
