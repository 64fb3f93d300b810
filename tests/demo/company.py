"""The demo's company: who works there, who calls, as the files an admin would write.

Shifts are laid around the present moment, so that the day can be played at any hour.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = "Europe/Moscow"
DID = "74951234567"

OPERATORS = {
    "101": "Anna",
    "102": "Boris",
    "103": "Vera",
    "104": "Gleb",
    "105": "Dina",
    "106": "Reception",
}
MOBILE = "+79161110001"

ROMASHKA = "+79001112233"
ORION = "+79003334455"
VEGA = "+79002223344"
STRANGER = "+79005556677"

CLIENTS = f"""\
name,phones,manager,vip,notes
Romashka LLC,{ROMASHKA}; 8 (900) 111-22-34,101,no,Flowers; pays on Fridays
Orion Ltd,{ORION},104,no,
Vega JSC,{VEGA},105,no,
"""


def configuration(now: datetime) -> str:
    """Return the YAML of operators, groups and the DID; `now` is an aware moment."""
    local = now.astimezone(ZoneInfo(ZONE))

    def clock(hours: float) -> str:
        return f"{local + timedelta(hours=hours):%H:%M}"

    present = f'start: "{clock(-4)}", end: "{clock(4)}"'
    lunch = f'lunch: "{clock(-0.4)}-{clock(0.6)}"'
    over = f'start: "{clock(-9)}", end: "{clock(-1)}"'
    return f"""\
operators:
  - {{extension: "101", name: Anna, mobile: "{MOBILE}", deputy: "102"}}
  - {{extension: "102", name: Boris}}
  - {{extension: "103", name: Vera}}
  - {{extension: "104", name: Gleb}}
  - {{extension: "105", name: Dina}}
  - {{extension: "106", name: Reception}}
groups:
  - name: managers
    zone: {ZONE}
    shifts:
      - {{operator: "101", days: daily, {present}}}
      - {{operator: "102", days: daily, {present}}}
      - {{operator: "104", days: daily, {present}, {lunch}}}  # at lunch now
      - {{operator: "105", days: daily, {over}}}  # went home an hour ago
  - name: duty
    zone: {ZONE}
    default: true
    shifts:
      - {{operator: "103", days: daily, {present}}}
callbacks:
  delay_seconds: 1
  contact_seconds: 1
  callback_seconds: 2  # people in a demo do not talk for long
  quiet: {{start: "00:00", end: "00:00"}}  # it can be played at night
dids:
  - {{number: "{DID}", group: duty, title: Main number,
     desk_seconds: 2, mobile_seconds: 8, duty_seconds: 3}}
"""
