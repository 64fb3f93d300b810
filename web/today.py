"""The reader's day."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from web.i18n import zone
from web.services import services


def local_today() -> date:
    """Return the present day in the reader's zone."""
    return services().now().astimezone(ZoneInfo(zone())).date()
