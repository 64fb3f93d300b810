"""Calendars in the iCalendar format: read within limits of time and memory, and written."""

from telephony.ical.bounded import read_bounded
from telephony.ical.reading import Calendar, CalendarError, Fault, decoded

__all__ = ["Calendar", "CalendarError", "Fault", "decoded", "read_bounded"]
