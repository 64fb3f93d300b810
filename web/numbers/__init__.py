"""Numbers that are dialled, opening hours, trunks and mailboxes."""
