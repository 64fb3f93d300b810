"""All tables of Dutyline: importing this module fills `metadata`."""

from telephony.store import calls, clients, directory, live, outbox, setup
from telephony.store.tables import metadata

__all__ = ["calls", "clients", "directory", "live", "metadata", "outbox", "setup"]
