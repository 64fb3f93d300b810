"""Calls: the list with its filters and its file, and one call with all that is known of it."""
