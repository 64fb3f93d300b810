"""Signing in: password, second factor, limits, and the session that comes of it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network

import structlog
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from telephony.accounts.passwords import Passwords, digest, fold_login
from telephony.accounts.secondfactor import code_fits
from telephony.secrets import Vault
from telephony.store.accounts import (
    SessionRow,
    User,
    change_user,
    count_try,
    drop_old_tries,
    find_user,
    forget_tries,
    get_user,
    uncount_try,
)
from telephony.store.audit import AuditEntry, add_audit
from telephony.store.engine import reading, writing
from telephony.store.sessions import (
    add_session,
    end_old_sessions,
    end_session,
    get_session,
    touch_session,
)

log = structlog.get_logger(__name__)

TRIES = 10
# People behind one address, such as a call centre's, share this.
ADDRESS_TRIES = 100
WINDOW = timedelta(minutes=15)
IDLE = timedelta(hours=12)
ABSOLUTE = timedelta(days=7)
CODE_WITHIN = timedelta(minutes=5)

_IPV6_NETWORK = 64  # bits; whoever has one address of such a network has all of them
_TOUCH_AFTER = timedelta(minutes=1)
_BROWSER_LENGTH = 200


class Refusal(StrEnum):
    """Why a sign-in did not happen. A wrong login and a wrong password look the same."""

    WRONG = "wrong"
    TOO_MANY = "too_many"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Refused:
    """No sign-in; `retry_after` is in seconds, 0 when another try is welcome."""

    why: Refusal
    retry_after: int = 0


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session: `token` is for the cookie; without `full` the second factor comes next."""

    token: str
    full: bool


@dataclass(frozen=True, slots=True)
class Visitor:
    """From where somebody signs in: address, name of the browser, its time zone."""

    address: str
    browser: str = ""
    zone: str | None = None


def sign_in(
    engine: Engine,
    passwords: Passwords,
    login: str,
    password: str,
    visitor: Visitor,
    now: datetime,
) -> SignedIn | Refused:
    """Check login and password. More than 10 wrong tries of an account in 15 minutes, or 100 from
    an address, are refused until the 15 minutes are over, right or wrong.
    """
    account, address = digest(fold_login(login)), digest(counted_as(visitor.address))
    with writing(engine) as session:
        drop_old_tries(session, now - 2 * WINDOW)
        wait = _wait(
            session, (("account", account, TRIES), ("address", address, ADDRESS_TRIES)), now
        )
    if wait:
        log.warning("panel.signin_limited", address=visitor.address)
        return Refused(Refusal.TOO_MANY, wait)
    with reading(engine) as session:
        user = find_user(session, fold_login(login))
    fits = passwords.fits(password, user.password_hash if user else None)
    if user is None or not fits or not user.active:
        log.warning("panel.signin_refused", address=visitor.address)
        if user is not None:
            with writing(engine) as session:
                _note(session, user, visitor.address, "signin.refused", now)
        return Refused(Refusal.WRONG)
    outdated = passwords.is_outdated(user.password_hash)
    anew = {"password_hash": passwords.hash(password)} if outdated else {}
    with writing(engine) as session:
        current = get_user(session, user.id)
        if current is None or not current.active or current.password_hash != user.password_hash:
            return Refused(Refusal.WRONG)
        forget_tries(session, "account", account)
        uncount_try(session, "address", address)
        if anew:
            change_user(session, user.id, **anew)
        full = current.totp_secret is None
        if full:
            change_user(session, user.id, signed_in_at=now)
            _note(session, user, visitor.address, "signin.done", now)
        return SignedIn(open_session(session, user.id, visitor, now, full=full), full)


def confirm(
    engine: Engine, vault: Vault, token: str, code: str, visitor: Visitor, now: datetime
) -> SignedIn | Refused:
    """Check the second factor, an app's code or a recovery code, of a session half signed in."""
    with writing(engine) as session:
        row = get_session(session, digest(token))
        if row is None or row.full or row.created_at <= now - CODE_WITHIN:
            return Refused(Refusal.EXPIRED)
        user = get_user(session, row.user_id)
        if user is None or not user.active or user.totp_secret is None:
            return Refused(Refusal.EXPIRED)
        key = str(user.id)
        if wait := _wait(session, (("code", key, TRIES),), now):
            return Refused(Refusal.TOO_MANY, wait)
        if not code_fits(session, vault, user, code, now):
            _note(session, user, visitor.address, "signin.code_refused", now)
            return Refused(Refusal.WRONG)
        forget_tries(session, "code", key)
        end_session(session, row.id)
        change_user(session, user.id, signed_in_at=now)
        _note(session, user, visitor.address, "signin.done", now)
        zoned = Visitor(visitor.address, visitor.browser, row.zone)
        return SignedIn(open_session(session, user.id, zoned, now, full=True), full=True)


def open_session(
    session: Session, user_id: int, visitor: Visitor, now: datetime, *, full: bool
) -> str:
    """Insert a session and return its token; sessions that are over are removed on the way."""
    end_old_sessions(session, seen_before=now - IDLE, made_before=now - ABSOLUTE)
    token = secrets.token_urlsafe(32)
    row = SessionRow(
        id=digest(token),
        user_id=user_id,
        full=full,
        created_at=now,
        seen_at=now,
        address=visitor.address,
        browser=visitor.browser[:_BROWSER_LENGTH],
        zone=visitor.zone,
    )
    add_session(session, row)
    return token


def whose(
    engine: Engine, token: str, now: datetime, *, used: bool = True
) -> tuple[User, SessionRow] | None:
    """Return the active user of a session's token and the session; None when it is over.

    Without `used` the look does not count as use: the session ends as if it had not been.
    """
    with reading(engine) as session:
        row = get_session(session, digest(token))
        if row is None or row.seen_at <= now - IDLE or row.created_at <= now - ABSOLUTE:
            return None
        user = get_user(session, row.user_id)
    if user is None or not user.active:
        return None
    if used and row.seen_at <= now - _TOUCH_AFTER:
        with writing(engine) as session:
            touch_session(session, row.id, now)
    return user, row


def counted_as(address: str) -> str:
    """Return what tries from an address are counted by: it itself, or its /64 for IPv6."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), _IPV6_NETWORK), strict=False))


def _wait(session: Session, keys: tuple[tuple[str, str, int], ...], now: datetime) -> int:
    """Count a try for each key and return for how many seconds none more is taken, or 0."""
    wait = 0
    for kind, key, allowed in keys:
        count, since = count_try(session, kind, key, now, WINDOW)
        if count > allowed:
            wait = max(wait, int((since + WINDOW - now).total_seconds()) + 1)
    return wait


def _note(session: Session, user: User, address: str, action: str, now: datetime) -> None:
    add_audit(session, AuditEntry(now, user.id, user.login, address, action, user.login, {}))
