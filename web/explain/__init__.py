"""Who would get a call, and why."""
