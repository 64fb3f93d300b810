"""Rosters: a week of duty as a picture, who is next, what is wrong, and editing all of it."""

from web.rosters import entries, slots, views
from web.rosters.area import blueprint

__all__ = ["blueprint", "entries", "slots", "views"]
