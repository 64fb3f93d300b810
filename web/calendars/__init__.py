"""Calendars: those that duty comes from, and links by which duty is subscribed to."""

from web.calendars import adding, links, views
from web.calendars.area import blueprint

__all__ = ["adding", "blueprint", "links", "views"]
