"""Moments that tests share."""

from __future__ import annotations

from datetime import UTC, datetime

MONDAY_NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
