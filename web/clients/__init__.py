"""Clients: their pages, and changing one or many."""

from web.clients import bulk, editing
from web.clients.views import blueprint

__all__ = ["blueprint", "bulk", "editing"]
