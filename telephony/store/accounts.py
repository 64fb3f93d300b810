"""Users of the panel, their sessions, tokens of the API, and how often a sign-in went wrong.

Passwords, sessions, recovery codes and tokens are kept as hashes only; a TOTP secret is sealed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    RowMapping,
    Table,
    Text,
    UniqueConstraint,
    case,
    delete,
    false,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.orm import Session

from telephony.domain.rights import Role, Scope
from telephony.store.tables import Json, UtcDateTime, insert_or_ignore, metadata

# `login` is folded (accounts.passwords.fold_login). `language` and `zone` are null for the
# browser's. `theme` is system, light or dark. `totp_step` is the last time step whose code was
# taken: a code counts once. `password_handed`: somebody else knows the password.
panel_user = Table(
    "panel_user",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("extension", Text),
    Column("active", Boolean, nullable=False),
    Column("language", Text),
    Column("zone", Text),
    Column("theme", Text, nullable=False),
    Column("totp_secret", Text),
    Column("totp_step", BigInteger),
    Column("created_at", UtcDateTime, nullable=False),
    Column("signed_in_at", UtcDateTime),
    Column("password_handed", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("login"),
    sqlite_autoincrement=True,
)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("user_id", ForeignKey("panel_user.id"), primary_key=True),
    Column("hash", Text, primary_key=True),
)

# `id` is the hash of what the cookie holds. `full` is false between the password and the code.
panel_session = Table(
    "panel_session",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user_id", ForeignKey("panel_user.id"), nullable=False),
    Column("full", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("seen_at", UtcDateTime, nullable=False),
    Column("address", Text, nullable=False),
    Column("browser", Text, nullable=False),
    Column("zone", Text),
    Index(None, "user_id"),
)

api_token = Table(
    "api_token",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("scopes", Json, nullable=False),
    Column("user_id", ForeignKey("panel_user.id"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("used_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    UniqueConstraint("hash"),
    sqlite_autoincrement=True,
)

# `kind` is account, address or code; `key` a hash of whom or whence; `count` the tries since then.
signin_try = Table(
    "signin_try",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("since", UtcDateTime, nullable=False),
    Column("count", Integer, nullable=False),
    Index(None, "since"),
)


@dataclass(frozen=True, slots=True)
class User:
    """A user of the panel. `language` and `zone` are None for those of the browser.

    `password_handed`: the password came from somebody else and is to be changed first.
    """

    id: int
    login: str
    name: str
    password_hash: str
    role: Role
    extension: str | None
    active: bool
    language: str | None
    zone: str | None
    theme: str
    totp_secret: str | None
    totp_step: int | None
    created_at: datetime
    signed_in_at: datetime | None
    password_handed: bool


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One signed-in browser; `full` is False while the second factor is awaited."""

    id: str
    user_id: int
    full: bool
    created_at: datetime
    seen_at: datetime
    address: str
    browser: str
    zone: str | None


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token of the API; the token itself is not kept. `user_id` is who made it."""

    id: int
    name: str
    scopes: frozenset[Scope]
    user_id: int
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


def _user(row: RowMapping) -> User:
    return User(**{**row, "role": Role(row["role"])})


def add_user(session: Session, login: str, now: datetime, **values: Any) -> int:
    """Insert a user and return the id. IntegrityError when the login is taken."""
    row = {"theme": "system", "active": True} | values
    query = insert(panel_user).values(login=login, created_at=now, **row)
    return int(session.execute(query.returning(panel_user.c.id)).scalar_one())


def get_user(session: Session, user_id: int) -> User | None:
    """Return a user by id."""
    query = select(panel_user).where(panel_user.c.id == user_id)
    row = session.execute(query).mappings().one_or_none()
    return None if row is None else _user(row)


def find_user(session: Session, login: str) -> User | None:
    """Return a user by the folded login."""
    query = select(panel_user).where(panel_user.c.login == login)
    row = session.execute(query).mappings().one_or_none()
    return None if row is None else _user(row)


def change_user(session: Session, user_id: int, **values: Any) -> None:
    """Set columns of a user."""
    session.execute(update(panel_user).where(panel_user.c.id == user_id).values(**values))


def list_users(
    session: Session, *, search: str = "", limit: int = 50, offset: int = 0
) -> tuple[list[User], int]:
    """Return a page of users by login, and how many there are. `search` is part of a login, name
    or extension.
    """
    # The rules of LIKE differ between the databases; users are few.
    rows = [
        _user(row)
        for row in session.execute(select(panel_user).order_by(panel_user.c.login)).mappings()
    ]
    wanted = search.strip().casefold()
    found = [
        user
        for user in rows
        if any(wanted in text.casefold() for text in (user.login, user.name, user.extension or ""))
    ]
    return found[offset : offset + limit], len(found)


def list_extensions(session: Session) -> list[tuple[str, str]]:
    """Return (login, extension) of the active users who have one."""
    query = select(panel_user.c.login, panel_user.c.extension).where(
        panel_user.c.active, panel_user.c.extension != ""
    )
    return [
        (row.login, row.extension) for row in session.execute(query.order_by(panel_user.c.login))
    ]


def count_users(session: Session) -> int:
    """Return how many users there are."""
    return int(session.execute(select(func.count()).select_from(panel_user)).scalar_one())


def other_active_admins(session: Session, user_id: int) -> int:
    """Return how many active admins there are beside this user; their rows stay locked."""
    query = select(panel_user.c.id).where(
        panel_user.c.role == Role.ADMIN, panel_user.c.active, panel_user.c.id != user_id
    )
    # Locked in one order by everybody: two admins who demote each other at once must not both win.
    everyone = select(panel_user.c.id).where(panel_user.c.role == Role.ADMIN)
    session.execute(everyone.order_by(panel_user.c.id).with_for_update()).all()
    return len(session.execute(query).all())


def take_totp_step(session: Session, user_id: int, step: int) -> bool:
    """Note a time step as used; False when it, or a later one, was used before."""
    fresh = (panel_user.c.totp_step.is_(None)) | (panel_user.c.totp_step < step)
    query = update(panel_user).where(panel_user.c.id == user_id, fresh).values(totp_step=step)
    return bool(session.execute(query.returning(panel_user.c.id)).all())


def set_recovery_codes(session: Session, user_id: int, hashes: Sequence[str]) -> None:
    """Replace a user's recovery codes."""
    session.execute(delete(recovery_code).where(recovery_code.c.user_id == user_id))
    if hashes:
        session.execute(
            insert(recovery_code), [{"user_id": user_id, "hash": value} for value in hashes]
        )


def take_recovery_code(session: Session, user_id: int, value: str) -> bool:
    """Remove a recovery code by its hash; False when there is none."""
    query = delete(recovery_code).where(
        recovery_code.c.user_id == user_id, recovery_code.c.hash == value
    )
    return bool(session.execute(query.returning(recovery_code.c.hash)).all())


def count_recovery_codes(session: Session, user_id: int) -> int:
    """Return how many recovery codes a user has left."""
    query = select(func.count()).where(recovery_code.c.user_id == user_id)
    return int(session.execute(query).scalar_one())


def count_try(
    session: Session, kind: str, key: str, now: datetime, window: timedelta
) -> tuple[int, datetime]:
    """Count one more try and return (tries in this window, when the window began).

    One statement, so that tries at the same moment are all counted. A window begins with its
    first try.
    """
    over = signin_try.c.since <= now - window
    query = insert_or_ignore(session, signin_try, key=None).values(
        kind=kind, key=key, since=now, count=1
    )
    query = query.on_conflict_do_update(
        index_elements=("kind", "key"),
        set_={
            "count": case((over, 1), else_=signin_try.c.count + 1),
            "since": case((over, query.excluded.since), else_=signin_try.c.since),
        },
    ).returning(signin_try.c.count, signin_try.c.since)
    count, since = session.execute(query).one()
    return int(count), since


def forget_tries(session: Session, kind: str, key: str) -> None:
    """Forget all tries of an account."""
    session.execute(delete(signin_try).where(signin_try.c.kind == kind, signin_try.c.key == key))


def uncount_try(session: Session, kind: str, key: str) -> None:
    """Take back one try: it turned out right."""
    session.execute(
        update(signin_try)
        .where(signin_try.c.kind == kind, signin_try.c.key == key, signin_try.c.count > 0)
        .values(count=signin_try.c.count - 1)
    )


def drop_old_tries(session: Session, before: datetime) -> None:
    """Remove the counts of windows that began before."""
    session.execute(delete(signin_try).where(signin_try.c.since < before))
