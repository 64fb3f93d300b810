"""Writing the audit log from a view."""

from __future__ import annotations

from typing import Any

from flask import request
from sqlalchemy.orm import Session

from telephony.store.audit import AuditEntry, add_audit
from web.rights import signed_in_user
from web.services import services


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
