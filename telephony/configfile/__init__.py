"""Operators, groups with their rosters, who is away, hours, trunks and DIDs as one YAML file.

operators:
  - {extension: "101", name: Anna, endpoint: "101", mobile: "+79001112233", deputy: "102"}
groups:
  - name: sales
    zone: Europe/Moscow
    default: true
    queue: {name: sales, strategy: ringall, max_wait_seconds: 300, callback: true}
    shifts:
      - {operator: "101", days: mon-fri, start: "09:00", end: "18:00", lunch: "13:00-14:00"}
    rotations:
      - {turns: ["101", ["102", "103"]], first: 2026-11-23, length: 7, handover: "09:00"}
    one_offs:
      - {operator: "103", start: 2026-12-31 09:00, end: 2026-12-31 18:00}
    overrides:
      - {operators: ["103"], start: 2026-12-01 20:00, end: 2026-12-01 22:00, instead_of: everybody}
    swaps:
      - {between: ["101", "102"], start: 2026-12-05, end: 2026-12-05}
absences:
  - {operator: "101", from: 2026-12-24, to: 2026-12-31, kind: vacation, cover: "102"}
dids:
  - {number: "74951234567", group: sales, title: Sales, desk_seconds: 20, mobile_seconds: 25,
     duty_seconds: 30}

Opening hours, trunks, the rules of DIDs and of callbacks: see `hours`, `pbx`, `dids`, `callbacks`.

Scalars are taken as they are written, so neither `101` nor `09:00` needs quotes. The file states
everything: what it does not name is removed. `editing` is the one way in which anybody changes it.
"""

from telephony.configfile.callbacks import CALLBACKS, callbacks_entry
from telephony.configfile.comparing import KEYS, Difference, Field, differences
from telephony.configfile.editing import (
    COMMAND_LINE,
    Author,
    Change,
    ConflictError,
    NoRevisionError,
    change,
    load_data,
    put,
    undo,
)
from telephony.configfile.entries import (
    SECTIONS,
    ChangedError,
    Reference,
    find,
    fingerprint,
    put_entry,
    references,
    remove_entry,
    rename_references,
)
from telephony.configfile.mistakes import Mistake
from telephony.configfile.nodes import ConfigError, Data, Entry
from telephony.configfile.reading import read_config, read_data
from telephony.configfile.rosters import KEYS as ROSTER_KINDS
from telephony.configfile.writing import as_data, write_config

__all__ = [
    "CALLBACKS",
    "COMMAND_LINE",
    "KEYS",
    "ROSTER_KINDS",
    "SECTIONS",
    "Author",
    "Change",
    "ChangedError",
    "ConfigError",
    "ConflictError",
    "Data",
    "Difference",
    "Entry",
    "Field",
    "Mistake",
    "NoRevisionError",
    "Reference",
    "as_data",
    "callbacks_entry",
    "change",
    "differences",
    "find",
    "fingerprint",
    "load_data",
    "put",
    "put_entry",
    "read_config",
    "read_data",
    "references",
    "remove_entry",
    "rename_references",
    "undo",
    "write_config",
]
