"""Web sites with a callback button, as an admin sets them up."""
