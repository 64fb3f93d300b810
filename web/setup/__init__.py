"""Setting up operators, groups, numbers, opening hours and trunks; the whole as a file."""

from web.setup import editing, file, listing, removing
from web.setup.area import blueprint

__all__ = ["blueprint", "editing", "file", "listing", "removing"]
