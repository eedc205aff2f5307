"""Signing in and out, and the gate in front of every view: nothing is reachable that does not say for whom it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar, cast

from flask import Flask, current_app, g, request, session
from flask_login import LoginManager, current_user, login_user, logout_user
from flask_wtf.csrf import CSRFProtect

from schedules.clock import Clock
from schedules.errors import NotAllowed, TooMany
from schedules.findings import Finding, Severity
from schedules.text import Text
from store import accounts, audit, sign_ins, tokens, units
from store.accounts import Person
from webui.rights import MATRIX, can, permits
from webui.services import services
from webui.throttle import Throttle
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


class SignInNeeded(NotAllowed):
    """Nobody is signed in, or the session has ended."""


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
    """Checks names and passwords, and keeps who failed how often."""

    def __init__(self, clock: Clock) -> None:
        self._throttle = Throttle(clock)
        self._hashing = threading.BoundedSemaphore(_PARALLEL_HASHES)

    def check(self, name: str, password: str, address: str) -> Person:
        """Return the person. Raises NotAllowed (the same for every wrong pair) or TooMany."""
        name = accounts.folded(name)[:80]
        wait_s = self._throttle.wait_s(name, address)
        if wait_s > 0:
            raise TooMany(_slow_down(wait_s), retry_after_s=wait_s)
        here = services()
        with self._hashing, here.database.reading() as database:
            person = accounts.check_password(database, name, password)
        if person is not None and person.demo and not here.demo:
            person = None
        if person is None:
            used_up = self._throttle.failed(name, address)
            with here.database.writing() as database:
                audit.note(
                    database,
                    at=here.clock.now(),
                    what="sign_in.flood" if used_up else "sign_in",
                    name=name,
                    address=address,
                    outcome="refused",
                )
            raise NotAllowed(_wrong_pair())
        self._throttle.succeeded(name, address)
        return person


def sign_in(name: str, password: str) -> Person:
    """Check the pair and begin a new session for it. Raises NotAllowed, TooMany."""
    doorkeeper = cast(Doorkeeper, current_app.extensions["loa.doorkeeper"])
    person = doorkeeper.check(name, password, request.remote_addr or "")
    enter(person)
    return person


def assure(password: str) -> None:
    """Make sure that the signed-in person is at the keyboard. Raises NotAllowed, TooMany.

    Who signed in within `RECENT` is believed; later the password is asked for again. A program has no keyboard: what
    it may do is granted with its token (`require_scope`).
    """
    who = current_person()
    if by_token() or recently(who):
        return
    if not password:
        raise NotAllowed(_password_again(given=False))
    doorkeeper = cast(Doorkeeper, current_app.extensions["loa.doorkeeper"])
    try:
        doorkeeper.check(who.name, password, request.remote_addr or "")
    except NotAllowed as error:
        raise NotAllowed(_password_again(given=True)) from error


def recently(who: Visitor) -> bool:
    """Return whether the person of this session proved who they are within `RECENT`."""
    here = services()
    with here.database.reading() as database:
        begun = sign_ins.begun(database, who.key)
    return begun is not None and here.clock.now() - begun < RECENT


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
    address = request.remote_addr or ""
    with here.database.writing() as database:
        before = session.get("_user_id")
        if isinstance(before, str):
            sign_ins.end(database, before)
        sign_ins.sweep(database, now)
        key = sign_ins.start(database, person, now, address=address)
        audit.note(database, at=now, what="sign_in", person=person, address=address)
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
    app.extensions["loa.doorkeeper"] = Doorkeeper(app.extensions["loa"].clock)
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
            if needed != _SIGNED_IN and (needed is None or not permits(who.role, needed)):
                raise NotAllowed(not_yours())
        if request.method not in _READING and not by_token():
            # Reads the form: only now, when it is known that the person may send one.
            csrf.protect()

    @app.before_request
    def keep_open() -> None:
        if g.pop("touch", False):
            here = services()
            with here.database.writing() as database:
                sign_ins.touch(database, current_person().key, here.clock.now())


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
        return visitor(found[0], units.every(database), key=key)


def _of_token(secret: str) -> Visitor | None:
    here = services()
    with here.database.reading() as database:
        person = tokens.find(database, secret, here.clock.now())
        if person is None or (person.demo and not here.demo):
            return None
        return visitor(person, units.every(database), key="")


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


def _password_again(*, given: bool) -> Finding:
    said = Text(
        "Mật khẩu không đúng. Lệnh chưa được gửi.",
        "The password is wrong. Nothing was ordered.",
    )
    asked = Text(
        "Cần nhập lại mật khẩu, vì đã đăng nhập quá 5 phút. Lệnh chưa được gửi.",
        "The password is needed again, since the sign-in is older than 5 minutes. Nothing was ordered.",
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
    "Doorkeeper",
    "SignInNeeded",
    "access",
    "allowed",
    "assure",
    "by_token",
    "can",
    "check_routes",
    "current_person",
    "enter",
    "not_yours",
    "public",
    "recently",
    "register",
    "require_scope",
    "safe_next",
    "sign_in",
    "sign_out",
    "signed_in",
]
