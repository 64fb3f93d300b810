"""Calendars as they come from Google, Outlook and Nextcloud, shortened; and hostile ones."""

from __future__ import annotations


def calendar(*events: str, head: str = "", zones: str = "") -> str:
    """Return a calendar of these events' lines."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *head.splitlines()]
    lines += zones.splitlines()
    for event in events:
        lines += ["BEGIN:VEVENT", *event.splitlines(), "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""])


GOOGLE = calendar(
    """DTSTART:20261126T060000Z
DTEND:20261126T150000Z
RRULE:FREQ=WEEKLY;BYDAY=TH,FR;UNTIL=20261218T205959Z
EXDATE;TZID=Europe/Moscow:20261203T090000
DTSTAMP:20261101T000000Z
ORGANIZER;CN=Support:mailto:c_12@group.calendar.google.com
UID:a1@google.com
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=anna@exam
 ple.com;X-NUM-GUESTS=0:mailto:anna@example.com
ATTENDEE;CUTYPE=INDIVIDUAL;PARTSTAT=DECLINED;CN=Boris:mailto:boris@example.com
ATTENDEE;CUTYPE=RESOURCE;PARTSTAT=ACCEPTED;CN=Room:mailto:room@resource.google.com
SEQUENCE:1
STATUS:CONFIRMED
SUMMARY:Support duty
TRANSP:OPAQUE""",
    """DTSTART:20261211T100000Z
DTEND:20261211T120000Z
RECURRENCE-ID:20261211T060000Z
DTSTAMP:20261101T000000Z
UID:a1@google.com
SUMMARY:Boris
SEQUENCE:2""",
    head="X-WR-CALNAME:Дежурства\nX-WR-TIMEZONE:Europe/Moscow",
)

OUTLOOK = calendar(
    """UID:040000008200E00074C5B7101A82E008
DTSTART;TZID=W. Europe Standard Time:20261026T220000
DTEND;TZID=W. Europe Standard Time:20261027T060000
RRULE:FREQ=DAILY;COUNT=60
SUMMARY:101
X-MICROSOFT-CDO-BUSYSTATUS:BUSY
DTSTAMP:20261001T000000Z""",
    zones="""BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE""",
)

NEXTCLOUD = calendar(
    """UID:n1
DTSTART;VALUE=DATE:20261228
DTEND;VALUE=DATE:20270111
SUMMARY:Отпуск
CATEGORIES:Vacation,Privat
TRANSP:TRANSPARENT
STATUS:CONFIRMED
DTSTAMP:20261001T000000Z""",
    """UID:n2
DTSTART;TZID=Mars Base:20261201T090000
DTEND;TZID=Mars Base:20261201T100000
SUMMARY:Врач""",
    """UID:n3
DTSTART:20261202T230000
DURATION:PT2H
SUMMARY:Ночное окно""",
    """UID:n4
DTSTART:20261203T090000Z
DTEND:20261203T100000Z
STATUS:CANCELLED
SUMMARY:Отменено""",
    """UID:n5
SUMMARY:Без начала""",
    """UID:n6
DTSTART:20261204T090000Z
DTEND:20261204T100000Z
TRANSP:TRANSPARENT
SUMMARY:Birthday of Carla""",
    zones="""BEGIN:VTIMEZONE
TZID:Mars Base
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0445
TZOFFSETTO:+0445
END:STANDARD
END:VTIMEZONE""",
)


def _repeating(rule: str, start: str = "DTSTART:19700101T080000Z", number: int = 1) -> str:
    return calendar(
        *(
            f"UID:{place}\n{start}\nDURATION:PT1H\nSUMMARY:101\nRRULE:{rule}"
            for place in range(number)
        )
    )


def deep(number: int) -> str:
    """Return a file of parts within parts."""
    return "BEGIN:VCALENDAR\r\n" + "BEGIN:VEVENT\r\n" * number + "END:VEVENT\r\n" * number


# name → (file, the faults one of which it ends in, by how fast the machine is)
BOMBS = {
    "every second": (_repeating("FREQ=SECONDLY;COUNT=1000000000"), {"too_often"}),
    "every minute, folded": (_repeating("FREQ=MIN\r\n UTELY"), {"too_often"}),
    "every hour": (_repeating("FREQ=HOURLY"), {"too_often"}),
    "every second of each day": (
        _repeating(
            "FREQ=DAILY;BYMINUTE="
            + ",".join(map(str, range(60)))
            + ";BYSECOND="
            + ",".join(map(str, range(60)))
        ),
        {"too_often"},
    ),
    "a zone that changes each second": (
        calendar(
            "UID:1\nDTSTART;TZID=X:20261126T080000\nSUMMARY:101",
            zones="BEGIN:VTIMEZONE\nTZID:X\nBEGIN:STANDARD\nDTSTART:19700101T000000\n"
            "RRULE:FREQ=SECONDLY\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\nEND:STANDARD\n"
            "END:VTIMEZONE",
        ),
        {"too_often"},
    ),
    "never true": (_repeating("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", number=20), {"too_slow"}),
    "many from long ago": (
        _repeating("FREQ=DAILY", number=500),
        {"too_slow", "too_many_occurrences"},
    ),
    "years long, each day": (
        _repeating("FREQ=DAILY").replace("PT1H", "P9999D"),
        {"too_many_occurrences"},
    ),
    "many events": (calendar(*["UID:1\nDTSTART:20261126T080000Z"] * 501), {"too_many_events"}),
    "parts within parts": (deep(5000), {"broken"}),
    "no end": ("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n", {"broken"}),
}
