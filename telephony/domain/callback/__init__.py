"""Missed calls as promises: what opens and ends a case, when to call back, and whom never. Pure."""
