"""The one exception of the lab."""


class LabError(Exception):
    """A part of the lab could not be got or started; the message says which and what to do."""
