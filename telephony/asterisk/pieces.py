"""Lines that several contexts of the dialplan have in common."""

from __future__ import annotations

from telephony.ami.names import UserEventLayout


def user_event(layout: UserEventLayout, token: str, **values: str) -> str:
    """Return a UserEvent application; its values are in the layout's order."""
    given = {"CallId": "${DL_CALL}", "Token": token, **values}
    return (
        f"UserEvent({layout.name},{','.join(f'{name}: {given[name]}' for name in layout.fields)})"
    )
