"""Operators, groups with their shifts, and DIDs as one YAML file.

operators:
  - {extension: "101", name: Anna, endpoint: "101", mobile: "+79001112233", deputy: "102"}
groups:
  - name: sales
    zone: Europe/Moscow
    default: true
    shifts:
      - {operator: "101", days: mon-fri, start: "09:00", end: "18:00", lunch: "13:00-14:00"}
dids:
  - {number: "74951234567", group: sales, title: Sales, desk_seconds: 20, mobile_seconds: 25,
     duty_seconds: 30}

Scalars are taken as they are written, so neither `101` nor `09:00` needs quotes. The file states
everything: what it does not name is removed.
"""

from telephony.configfile.applying import Difference, apply_config, differences
from telephony.configfile.nodes import ConfigError
from telephony.configfile.reading import read_config

__all__ = ["ConfigError", "Difference", "apply_config", "differences", "read_config"]
