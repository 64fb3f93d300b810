"""Writing the audit log from a view."""

from __future__ import annotations

from typing import Any, cast

from flask import g, request
from sqlalchemy.orm import Session

from telephony.accounts import ApiToken
from telephony.store.accounts import get_user
from telephony.store.audit import AuditEntry, add_audit
from web.rights import signed_in_user
from web.services import services


def note_by_token(session: Session, action: str, target: str, **details: Any) -> None:
    """Write that the token of this request did something: as whoever made it, with its name."""
    token = cast(ApiToken, g.token)
    maker = get_user(session, token.user_id)
    add_audit(
        session,
        AuditEntry(
            at=services().now(),
            user_id=token.user_id,
            actor=maker.login if maker else "",
            address=request.remote_addr or "",
            action=action,
            target=target,
            details={**details, "token": token.name},
        ),
    )


def note(session: Session, action: str, target: str, **details: Any) -> None:
    """Write that the signed-in user did something, in the transaction of what was done."""
    user = signed_in_user()
    add_audit(
        session,
        AuditEntry(
            at=services().now(),
            user_id=user.id,
            actor=user.login,
            address=request.remote_addr or "",
            action=action,
            target=target,
            details=details,
        ),
    )
