"""The rows of signed-in browsers and of the API's tokens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import RowMapping, delete, func, insert, select, update
from sqlalchemy.orm import Session

from telephony.domain.rights import Scope
from telephony.store.accounts import ApiToken, SessionRow, api_token, panel_session


def add_session(session: Session, row: SessionRow) -> None:
    """Insert a session."""
    session.execute(
        insert(panel_session).values(**{name: getattr(row, name) for name in row.__slots__})
    )


def get_session(session: Session, session_id: str) -> SessionRow | None:
    """Return a session by the hash of its token."""
    query = select(panel_session).where(panel_session.c.id == session_id)
    row = session.execute(query).mappings().one_or_none()
    return None if row is None else SessionRow(**row)


def touch_session(session: Session, session_id: str, now: datetime) -> None:
    """Note that a session is in use."""
    session.execute(
        update(panel_session).where(panel_session.c.id == session_id).values(seen_at=now)
    )


def end_session(session: Session, session_id: str) -> None:
    """Remove one session."""
    session.execute(delete(panel_session).where(panel_session.c.id == session_id))


def end_sessions(session: Session, user_id: int, *, but: str | None = None) -> None:
    """Remove a user's sessions, all or all but one."""
    query = delete(panel_session).where(panel_session.c.user_id == user_id)
    session.execute(query if but is None else query.where(panel_session.c.id != but))


def end_old_sessions(session: Session, *, seen_before: datetime, made_before: datetime) -> None:
    """Remove sessions that were idle too long or are too old."""
    idle = panel_session.c.seen_at < seen_before
    session.execute(delete(panel_session).where(idle | (panel_session.c.created_at < made_before)))


def list_sessions(session: Session, user_id: int) -> list[SessionRow]:
    """Return a user's full sessions, the one used last first."""
    query = select(panel_session).where(panel_session.c.user_id == user_id, panel_session.c.full)
    rows = session.execute(query.order_by(panel_session.c.seen_at.desc())).mappings()
    return [SessionRow(**row) for row in rows]


def _token(row: RowMapping) -> ApiToken:
    scopes = frozenset(Scope(scope) for scope in row["scopes"])
    return ApiToken(**{**{k: v for k, v in row.items() if k != "hash"}, "scopes": scopes})


def add_token(session: Session, value: str, token: ApiToken) -> int:
    """Insert a token by its hash and return its id; the id of `token` does not count."""
    query = insert(api_token).values(
        name=token.name,
        hash=value,
        scopes=sorted(token.scopes),
        user_id=token.user_id,
        created_at=token.created_at,
        expires_at=token.expires_at,
    )
    return int(session.execute(query.returning(api_token.c.id)).scalar_one())


def token_by_hash(session: Session, value: str) -> ApiToken | None:
    """Return the token of a hash, revoked or not."""
    row = session.execute(select(api_token).where(api_token.c.hash == value)).mappings().first()
    return None if row is None else _token(row)


def get_token(session: Session, token_id: int) -> ApiToken | None:
    """Return a token by its id."""
    row = session.execute(select(api_token).where(api_token.c.id == token_id)).mappings().first()
    return None if row is None else _token(row)


def touch_token(session: Session, token_id: int, now: datetime) -> None:
    """Note that a token was used."""
    session.execute(update(api_token).where(api_token.c.id == token_id).values(used_at=now))


def revoke_token(session: Session, token_id: int, now: datetime) -> bool:
    """Revoke a token; False when there is none or it was revoked before."""
    query = update(api_token).where(api_token.c.id == token_id, api_token.c.revoked_at.is_(None))
    done = session.execute(query.values(revoked_at=now).returning(api_token.c.id))
    return bool(done.all())


def list_tokens(session: Session, *, limit: int, offset: int) -> tuple[list[ApiToken], int]:
    """Return a page of tokens, the newest first, and how many there are."""
    total = session.execute(select(func.count()).select_from(api_token)).scalar_one()
    query = select(api_token).order_by(api_token.c.id.desc()).limit(limit).offset(offset)
    return [_token(row) for row in session.execute(query).mappings()], int(total)


def count_live_tokens(session: Session, user_id: int, now: datetime) -> int:
    """Return how many tokens this user made that are neither revoked nor expired."""
    alive = api_token.c.expires_at.is_(None) | (api_token.c.expires_at > now)
    query = select(func.count()).select_from(api_token)
    mine = query.where(api_token.c.user_id == user_id, api_token.c.revoked_at.is_(None), alive)
    return int(session.execute(mine).scalar_one())
