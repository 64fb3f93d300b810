"""Tokens of the API: made once, shown once, kept as hashes."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from telephony.accounts.passwords import digest
from telephony.domain.rights import Role
from telephony.store.accounts import ApiToken, User, get_user
from telephony.store.sessions import token_by_hash
from telephony.store.shares import Share, share_by_hash

PREFIX = "dl_"
LINK_PREFIX = "calendar:"  # of what is hashed: a link is no token, nor a token a link

# Who may make tokens, and as whom a maker has to stay for them to work.
MAKERS = frozenset({Role.ADMIN})

_LINK = 43  # letters of 32 bytes
_NOTED_AGAIN_AFTER = timedelta(minutes=1)


def new_token() -> tuple[str, str]:
    """Return (the token to show, the hash to keep)."""
    token = PREFIX + secrets.token_urlsafe(32)
    return token, digest(token)


def find_token(session: Session, presented: str, now: datetime) -> ApiToken | None:
    """Return the token that was presented; None when it is unknown, revoked or expired,
    or its maker may make none any more. Only reads: whoever lets it in notes its use
    (`use_is_due`).
    """
    if not presented.startswith(PREFIX):
        return None
    token = token_by_hash(session, digest(presented))
    if token is None or token.revoked_at is not None:
        return None
    if token.expires_at is not None and token.expires_at <= now:
        return None
    return token if may_make_tokens(get_user(session, token.user_id)) else None


def new_link() -> tuple[str, str]:
    """Return (the secret part of a link to a calendar, the hash to keep)."""
    token = secrets.token_urlsafe(32)
    return token, digest(LINK_PREFIX + token)


def find_link(session: Session, token: str) -> Share | None:
    """Return the link to a calendar that has this secret part; None when it is not known."""
    return share_by_hash(session, digest(LINK_PREFIX + token)) if len(token) == _LINK else None


def may_make_tokens(user: User | None) -> bool:
    """Return whether a user may make tokens, and those that they made are good."""
    return user is not None and user.active and user.role in MAKERS


def use_is_due(token: ApiToken, now: datetime) -> bool:
    """Return whether a use of the token should be noted: at most once a minute."""
    return token.used_at is None or token.used_at <= now - _NOTED_AGAIN_AFTER
