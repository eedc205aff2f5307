"""Signing in and out, and the gate in front of every view: nothing is reachable that does not say for whom it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from flask import Flask, Response, after_this_request, current_app, g, has_request_context, request, session
from flask_login import LoginManager, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect

from schedules.clock import Clock
from schedules.errors import LoaError, NotAllowed, TooMany
from schedules.findings import Finding, Severity
from schedules.text import Text
from store import accounts, audit, authority, deputies, second_factors, sign_ins, tokens, units
from store.accounts import Person
from store.database import Database
from store.identity import new_secret
from webui import noticing
from webui.rights import MATRIX, can
from webui.services import services
from webui.throttle import Source, Throttle
from webui.visitor import Visitor, visitor

View = TypeVar("View", bound=Callable[..., Any])

API = "/api/"
_ACCESS = "loa_access"
_PUBLIC = "public"
_SIGNED_IN = "signed in"
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER = "Bearer "
# Two hashes at once use 40 MB; more would let a few guessers fill a small machine.
_PARALLEL_HASHES = 2
# How long ago somebody may have signed in and still be taken for the one who sits there.
RECENT = timedelta(minutes=5)
# How long after the password the code of the second factor may come.
_HALF = timedelta(minutes=5)
_DEVICE = "loa_device"
_DEVICE_S = 180 * 24 * 3600
# All that somebody may do whose role asks for a second factor that they have not set up.
_LACKING = frozenset({"pages.second_factor", "pages.log_out", "pages.more"})
PROOF_FIELDS = ("prove_password", "prove_code")


class SignInNeeded(NotAllowed):
    """Nobody is signed in, or the session has ended."""


class ProofNeeded(LoaError):
    """The person must prove once more who they are: what they want to do is dangerous, and they came long ago.

    Not among what a page refuses in its own place: it is answered with a form that asks and then sends the same again.
    """

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings
        super().__init__("proof needed")


class SecondFactorNeeded(NotAllowed):
    """The person's role asks for a second factor that they have not set up."""


def allowed(permission: str) -> Callable[[View], View]:
    """Mark a view as being for people whose role has `permission`; which unit, the view asks with `can`."""
    if permission not in MATRIX:
        raise KeyError(f"no such permission: {permission}")
    return _mark(permission)


def public(view: View) -> View:
    """Mark a view as being for anybody."""
    return _mark(_PUBLIC)(view)


def signed_in(view: View) -> View:
    """Mark a view as being for everybody who is signed in."""
    return _mark(_SIGNED_IN)(view)


def access(app: Flask, endpoint: str) -> str | None:
    """Return for whom a route is: a permission, `public`, `signed in`, or None where it does not say."""
    if endpoint == "static" or endpoint.endswith(".static"):
        return _PUBLIC
    found: str | None = getattr(app.view_functions[endpoint], _ACCESS, None)
    return found


def current_person() -> Visitor:
    """Return the signed-in person. Raises SignInNeeded where there is none."""
    if not current_user.is_authenticated:
        raise SignInNeeded(_sign_in_needed())
    return cast(Visitor, current_user._get_current_object())


class Doorkeeper:
    """Checks names, passwords and codes; the throttle keeps who failed how often."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self.throttle = Throttle(database, clock)
        self._hashing = threading.BoundedSemaphore(_PARALLEL_HASHES)

    def check(self, name: str, password: str, source: Source) -> Person:
        """Return the person. Raises NotAllowed (the same for every wrong pair) or TooMany."""
        name = accounts.folded(name)[:80]
        wait_s = self.throttle.wait_s(name, source)
        if wait_s > 0:
            raise TooMany(_slow_down(wait_s), retry_after_s=wait_s)
        here = services()
        with self._hashing, here.database.reading() as database:
            person = accounts.check_password(database, name, password)
        if person is not None and person.demo and not here.demo:
            person = None
        if person is None:
            used_up = self.throttle.failed(name, source)
            with here.database.writing() as database:
                audit.note(
                    database,
                    at=here.clock.now(),
                    what="sign_in.flood" if used_up else "sign_in",
                    name=name,
                    address=source.address,
                    outcome="refused",
                )
                target = accounts.named(database, name) if used_up else None
                if target is not None:
                    noticing.guessing(database, target, address=source.address, now=here.clock.now())
            raise NotAllowed(_wrong_pair())
        return person

    def check_code(self, person: Person, code: str, source: Source) -> None:
        """Take a code of the person's second factor, or a recovery code. Raises NotAllowed or TooMany."""
        wait_s = self.throttle.wait_for_code_s(person, source)
        if wait_s > 0:
            raise TooMany(_slow_down(wait_s), retry_after_s=wait_s)
        here = services()
        now = here.clock.now()
        with here.database.writing() as database:
            right = second_factors.check(database, person, code, now)
        if right:
            return
        used_up = self.throttle.failed_code(person, source)
        with here.database.writing() as database:
            audit.note(
                database,
                at=now,
                what="sign_in.flood" if used_up else "sign_in.code",
                person=person,
                address=source.address,
                outcome="refused",
            )
            if used_up:
                noticing.guessing(database, person, address=source.address, now=now)
        raise NotAllowed(_wrong_code())

    def welcome(self, person: Person, source: Source) -> bool:
        """Know the person there from now on; returns whether they come in a new browser."""
        return self.throttle.succeeded(accounts.folded(person.name), source, person)


def doorkeeper() -> Doorkeeper:
    """Return the doorkeeper of the app that answers the present request."""
    return cast(Doorkeeper, current_app.extensions["loa.doorkeeper"])


def source() -> Source:
    """Return where the present request comes from."""
    return Source(address=request.remote_addr or "", device=request.cookies.get(_DEVICE, "")[:100])


def sign_in(name: str, password: str) -> bool:
    """Check the pair and begin a session for it; False where the code of a second factor is needed first.

    Raises NotAllowed, TooMany.
    """
    return go_on(doorkeeper().check(name, password, source()))


def go_on(person: Person) -> bool:
    """Begin a session for somebody who proved one factor; False where the second is asked for first (`finish`)."""
    here = services()
    with here.database.reading() as database:
        asked = second_factors.in_use(database, person)
        mark = accounts.password_mark(database, person)
    if not asked:
        enter(person)
        return True
    session.clear()
    session["half"] = {"person": person.id, "mark": mark, "at": here.clock.now().isoformat()}
    return False


def half_in() -> Person | None:
    """Return who gave the right password and has to give a code now; None after 5 minutes or a new password."""
    kept = session.get("half")
    if not isinstance(kept, dict):
        return None
    here = services()
    begun = datetime.fromisoformat(str(kept["at"]))
    if not timedelta(0) <= here.clock.now() - begun < _HALF:
        return None
    with here.database.reading() as database:
        person = accounts.find(database, str(kept["person"]))
        if person is None or accounts.password_mark(database, person) != kept["mark"]:
            return None
    return person


def finish(person: Person, code: str) -> None:
    """Begin a session for somebody whose password was right, with the code. Raises NotAllowed, TooMany."""
    doorkeeper().check_code(person, code, source())
    enter(person)


def assure(password: str = "", code: str = "") -> None:
    """Make sure that the signed-in person is at the keyboard. Raises NotAllowed, TooMany.

    Who proved who they are within `RECENT` is believed; later the password, or a code of the second factor, is asked
    for again. A program has no keyboard: what it may do is granted with its token (`require_scope`).
    """
    who = current_person()
    if by_token() or recently(who):
        return
    if not password and not code:
        raise NotAllowed(_password_again(given=False))
    try:
        if code:
            doorkeeper().check_code(who, code, source())
        else:
            doorkeeper().check(who.name, password, source())
    except NotAllowed as error:
        raise NotAllowed(_password_again(given=True)) from error
    here = services()
    with here.database.writing() as database:
        sign_ins.prove(database, who.key, here.clock.now())


def require_proof() -> None:
    """Make sure, before a dangerous act of a page, that the person is at the keyboard. Raises ProofNeeded, TooMany.

    The pages answer ProofNeeded with a form that asks for the password or a code and then sends the same again
    (webui.pages.proving); nothing that was typed is lost.
    """
    try:
        assure(*(request.form.get(field, "")[:2000] for field in PROOF_FIELDS))
    except TooMany:
        raise
    except NotAllowed as error:
        raise ProofNeeded(*error.findings) from error


def take_proof() -> None:
    """Take the proof that came with a form, before the act begins to change anything. Raises ProofNeeded, TooMany."""
    if has_request_context() and any(request.form.get(field) for field in PROOF_FIELDS):
        require_proof()


def demand_proof() -> None:
    """Raise ProofNeeded where the person proved who they are too long ago; also in the middle of a change."""
    if has_request_context() and current_user.is_authenticated and not by_token() and not recently(current_person()):
        raise ProofNeeded(_password_again(given=False))


def recently(who: Visitor) -> bool:
    """Return whether the person of this session proved who they are within `RECENT`."""
    here = services()
    with here.database.reading() as database:
        proven = sign_ins.proven(database, who.key)
    return proven is not None and here.clock.now() - proven < RECENT


def require_scope(scope: str) -> None:
    """Raise NotAllowed where a token speaks that was not granted `scope`; sessions of people need none."""
    if not by_token():
        return
    with services().database.reading() as database:
        if scope in tokens.scopes(database, _bearer()):
            return
    raise NotAllowed(
        Finding(
            code="scope_missing",
            severity=Severity.ERROR,
            message=Text(
                f"Mã truy cập này không được cấp quyền “{scope}”. Chưa có gì thay đổi.",
                f"This token was not granted “{scope}”. Nothing was changed.",
            ),
            hint=Text("Hãy cấp mã mới kèm quyền đó.", "Issue a token with that scope."),
        )
    )


def enter(person: Person) -> None:
    """Begin a new session for a person who has proved who they are (by password, or by an invitation just used)."""
    here = services()
    now = here.clock.now()
    came = source()
    if not came.device:
        came = Source(address=came.address, device=_new_device())
    new = doorkeeper().welcome(person, came)
    address = came.address
    agent = request.headers.get("User-Agent", "")
    with here.database.writing() as database:
        before = session.get("_user_id")
        if isinstance(before, str):
            sign_ins.end(database, before)
        sign_ins.sweep(database, now)
        key = sign_ins.start(database, person, now, address=address, agent=agent)
        audit.note(database, at=now, what="sign_in", person=person, address=address)
        if new:
            noticing.new_device(database, person, agent=agent, address=address, now=now)
        tree = units.every(database)
    # Whatever the browser brought along, a cookie planted by somebody else included, ends here.
    session.clear()
    login_user(visitor(person, tree, key=key))


def sign_out() -> None:
    """End this session, here and in the database."""
    if current_user.is_authenticated:
        who = current_person()
        here = services()
        with here.database.writing() as database:
            sign_ins.end(database, who.key)
            audit.note(database, at=here.clock.now(), what="sign_out", person=who, address=request.remote_addr or "")
    logout_user()
    session.clear()


def safe_next(target: str | None) -> str:
    """Return the local path to go to after signing in; `/` for everything that could lead elsewhere."""
    if not target or not target.startswith("/") or len(target) > 500:
        return "/"
    if target[1:2] in {"/", "\\"} or "\\" in target or not target.isprintable():
        return "/"
    return target


def by_token() -> bool:
    """Return whether this request brought a bearer token (only the API looks at one)."""
    return request.path.startswith(API) and request.headers.get("Authorization", "").startswith(_BEARER)


def _bearer() -> str:
    return request.headers["Authorization"][len(_BEARER) :].strip()


def register(app: Flask) -> None:
    """Put the gate in front of the app's views. Call before any other `before_request`."""
    app.extensions["loa.doorkeeper"] = Doorkeeper(app.extensions["loa"].database, app.extensions["loa"].clock)
    manager = LoginManager()
    manager.session_protection = None
    manager.init_app(app)
    csrf = CSRFProtect()
    csrf.init_app(app)

    def by_cookie(key: str) -> Visitor | None:
        # A request with a token speaks for the token alone, so that it needs no CSRF token and cannot borrow rights.
        return None if by_token() else _of_session(key)

    def by_bearer(_request: object) -> Visitor | None:
        return _of_token(_bearer()) if by_token() else None

    manager.user_loader(by_cookie)
    manager.request_loader(by_bearer)

    @app.before_request
    def gate() -> None:
        if request.endpoint is None:
            return
        needed = access(app, request.endpoint)
        if needed != _PUBLIC:
            who = current_person()
            if needed != _SIGNED_IN and (needed is None or not can(who, needed)):
                raise NotAllowed(not_yours())
            if who.lacking and request.endpoint not in _LACKING:
                raise SecondFactorNeeded(_set_up_first())
        if request.method not in _READING and not by_token():
            # Reads the form: only now, when it is known that the person may send one.
            csrf.protect()

    @app.before_request
    def keep_open() -> None:
        if g.pop("touch", False):
            here = services()
            with here.database.writing() as database:
                sign_ins.touch(database, current_person().key, here.clock.now())
        if g.pop("touch_token", False):
            here = services()
            with here.database.writing() as database:
                tokens.touch(database, _bearer(), here.clock.now())


def check_routes(app: Flask) -> None:
    """Raise RuntimeError where a route does not say for whom it is; then the app must not start."""
    open_to_all = sorted(rule.endpoint for rule in app.url_map.iter_rules() if access(app, rule.endpoint) is None)
    if open_to_all:
        raise RuntimeError(f"these views do not say who may see them: {', '.join(open_to_all)}")


def not_yours() -> Finding:
    """Return the sentence for somebody whose role does not do this."""
    return Finding(
        code="not_allowed",
        severity=Severity.ERROR,
        message=Text(
            "Anh/chị không có quyền làm việc này. Chưa có gì thay đổi.",
            "You may not do this. Nothing was changed.",
        ),
        hint=Text(
            "Nếu cần, hãy nhờ quản trị viên giao quyền.",
            "If you need to, ask the administrator for the right.",
        ),
    )


def _mark(needed: str) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, _ACCESS, needed)
        return view

    return mark


def _of_session(key: str) -> Visitor | None:
    here = services()
    with here.database.reading() as database:
        found = sign_ins.find(database, key, here.clock.now())
        if found is None or (found[0].demo and not here.demo):
            return None
        g.touch = found[1]
        person = found[0]
        asked = person.role.value in authority.value(database, authority.SECOND_FACTOR_ROLES)
        return visitor(
            person,
            units.every(database),
            key=key,
            deputy=deputies.units_of(database, person.id, here.clock.now()),
            lacking=asked and not second_factors.in_use(database, person),
        )


def _of_token(secret: str) -> Visitor | None:
    here = services()
    with here.database.reading() as database:
        person = tokens.find(database, secret, here.clock.now())
        if person is None or (person.demo and not here.demo):
            return None
        g.touch_token = tokens.stale(database, secret, here.clock.now())
        deputy = deputies.units_of(database, person.id, here.clock.now())
        return visitor(person, units.every(database), key="", deputy=deputy)


def _sign_in_needed() -> Finding:
    return Finding(
        code="sign_in_needed",
        severity=Severity.ERROR,
        message=Text("Cần đăng nhập để xem trang này.", "You have to sign in to see this."),
        hint=Text("Hãy đăng nhập rồi làm tiếp.", "Sign in, then go on."),
    )


def _wrong_pair() -> Finding:
    return Finding(
        code="sign_in_wrong",
        severity=Severity.ERROR,
        message=Text("Tên đăng nhập hoặc mật khẩu không đúng.", "The name or the password is wrong."),
    )


def _new_device() -> str:
    made = new_secret()

    @after_this_request
    def remember(response: Response) -> Response:
        secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
        response.set_cookie(_DEVICE, made, max_age=_DEVICE_S, httponly=True, samesite="Lax", secure=secure)
        return response

    return made


def _wrong_code() -> Finding:
    return Finding(
        code="code_wrong",
        severity=Severity.ERROR,
        where="code",
        message=Text(
            "Mã không đúng, đã dùng rồi hoặc đã quá hạn.",
            "The code is wrong, was used already or is too old.",
        ),
        hint=Text("Hãy nhập mã đang hiện trên điện thoại.", "Type the code that the phone shows now."),
    )


def _set_up_first() -> Finding:
    return Finding(
        code="second_factor_needed",
        severity=Severity.ERROR,
        message=Text(
            "Vai trò này phải dùng mã xác thực hai bước. Hãy bật trước khi làm việc khác.",
            "This role must use a second factor. Set it up before anything else.",
        ),
    )


def _password_again(*, given: bool) -> Finding:
    said = Text(
        "Mật khẩu hoặc mã không đúng. Chưa có gì thay đổi.",
        "The password or the code is wrong. Nothing was changed.",
    )
    asked = Text(
        "Cần nhập lại mật khẩu, vì đã đăng nhập quá 5 phút. Chưa có gì thay đổi.",
        "The password is needed again, since the sign-in is older than 5 minutes. Nothing was changed.",
    )
    code = "password_wrong" if given else "password_needed"
    return Finding(code=code, severity=Severity.ERROR, where="password", message=said if given else asked)


def _slow_down(wait_s: float) -> Finding:
    minutes = max(1, round(wait_s / 60 + 0.5))
    return Finding(
        code="sign_in_flood",
        severity=Severity.ERROR,
        message=Text(
            f"Đã nhập sai nhiều lần. Hãy thử lại sau {minutes} phút.",
            f"Too many wrong tries. Try again in {minutes} min.",
        ),
    )


__all__ = [
    "PROOF_FIELDS",
    "Doorkeeper",
    "ProofNeeded",
    "SecondFactorNeeded",
    "SignInNeeded",
    "access",
    "allowed",
    "assure",
    "by_token",
    "can",
    "check_routes",
    "current_person",
    "demand_proof",
    "doorkeeper",
    "enter",
    "finish",
    "go_on",
    "half_in",
    "not_yours",
    "public",
    "recently",
    "register",
    "require_proof",
    "require_scope",
    "safe_next",
    "sign_in",
    "sign_out",
    "signed_in",
    "source",
    "take_proof",
]
