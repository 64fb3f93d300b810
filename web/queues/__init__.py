"""The queues of groups."""
