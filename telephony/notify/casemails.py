"""What mails say of callbacks: of a case that needs somebody, and of alarms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from typing import Any
from zoneinfo import ZoneInfo

from telephony.domain.callback.cases import Attention, Ending
from telephony.domain.callback.results import Why
from telephony.notify.mails import clean, mail_of
from telephony.store.alarms import Alarm
from telephony.store.cases import ESCALATED, NEAR, OPENED, OVERDUE
from telephony.store.outbox import StoredFact
from telephony.words import say

_MAIL: Mapping[str, Mapping[str, str]] = {
    "en": {
        OPENED: "To be called back: {who}",
        NEAR: "Call back by {until}: {who}",
        OVERDUE: "Callback overdue: {who}",
        ESCALATED: "A callback needs a person: {who}",
        Ending.EXPIRED: "A callback was given up: {who}",
        "number": "Number",
        "client": "Client",
        "to": "To",
        "reason": "Reason",
        "missed": "Missed calls",
        "tries": "Tries to call back",
        "since": "Waits since",
        "until": "Promised by",
        "owner": "Owner",
        "attention": "Why a person has to look",
        "case": "Case",
        "last": "These were many callbacks within an hour: there are no mails of further ones for "
        "now.",
        Alarm.PREFIX_HOUR: "Callbacks stopped: too many to numbers that begin with {prefix}",
        Alarm.HOUR: "Callbacks stopped: too many within an hour",
        Alarm.DAY: "Callbacks stopped: too many within a day",
        Alarm.STOPPED: "All callbacks were stopped",
        Alarm.RESUMED: "Callbacks go on again",
        "prefix": "Numbers that begin with",
        "limit": "Most calls allowed",
        "at": "At",
        "by": "By",
        "why": "Why",
        "halted": "Stopped since",
        "fraud": "Are these real clients? If somebody makes you call numbers that cost you money, "
        "stop all callbacks. If there is simply much to do, raise the cap in the callback rules. "
        "Calls that the cap holds up are made when it allows.",
    },
    "ru": {
        OPENED: "Нужно перезвонить: {who}",
        NEAR: "Перезвонить до {until}: {who}",
        OVERDUE: "Обратный звонок просрочен: {who}",
        ESCALATED: "Обратный звонок ждёт человека: {who}",
        Ending.EXPIRED: "Обратный звонок не состоялся: {who}",
        "number": "Номер",
        "client": "Клиент",
        "to": "Куда звонили",
        "reason": "Причина",
        "missed": "Пропущенных звонков",
        "tries": "Попыток перезвонить",
        "since": "Ждёт с",
        "until": "Обещано до",
        "owner": "Ответственный",
        "attention": "Почему нужен человек",
        "case": "Пропущенный",
        "last": "Обратных звонков за час было много: о следующих писем пока не будет.",
        Alarm.PREFIX_HOUR: "Обратные звонки остановлены: слишком много на номера, начинающиеся "
        "с {prefix}",
        Alarm.HOUR: "Обратные звонки остановлены: слишком много за час",
        Alarm.DAY: "Обратные звонки остановлены: слишком много за сутки",
        Alarm.STOPPED: "Все обратные звонки остановлены",
        Alarm.RESUMED: "Обратные звонки снова идут",
        "prefix": "Начало номеров",
        "limit": "Разрешено звонков",
        "at": "Когда",
        "by": "Кто",
        "why": "Почему",
        "halted": "Были остановлены с",
        "fraud": "Это настоящие клиенты? Если кто-то заставляет вас звонить на дорогие номера, "
        "остановите все обратные звонки. Если звонков просто много, поднимите предел в правилах "
        "обратных звонков. Задержанные звонки состоятся, когда предел это позволит.",
    },
}
_CAPS = (Alarm.PREFIX_HOUR, Alarm.HOUR, Alarm.DAY)


def case_mail(
    fact: StoredFact,
    *,
    sender: str,
    to: str,
    language: str,
    zone: str,
    key: str,
    names: Mapping[str, str],
    last: bool = False,
) -> EmailMessage:
    """Return the notice of a case; see `missed_mail`. `names` maps extensions to people."""
    words, about = _MAIL[language], fact.payload
    number, name = clean(about["number"]), clean(about["client_name"])
    owner = about["owner"] or ""
    person = clean(names.get(owner, ""))
    given_up = is_given_up(fact)
    why = Ending.EXPIRED if given_up else about["attention"] and Attention(about["attention"])
    until = _at(about["sla_at"], zone)
    lines = [
        (words["number"], number),
        (words["client"], name),
        (words["to"], clean(about["did"])),
        (words["reason"], say(Why(about["why"]), language)),
        (words["missed"], str(about["missed"])),
        (words["since"], _at(about["origin_at"], zone)),
        (words["until"], until),
        (words["tries"], str(about["tries"])),
        (words["owner"], f"{person} ({clean(owner)})" if person else clean(owner)),
        (words["attention"], say(why, language) if why else ""),
        (words["case"], str(about["case_id"])),
    ]
    who = f"{number} ({name})" if name else number
    subject = words[Ending.EXPIRED if given_up else fact.kind].format(who=who, until=until)
    more = f"\n{words['last']}\n" if last else ""
    return mail_of(subject, lines, more, sender, to, key, fact.created_at)


def is_given_up(fact: StoredFact) -> bool:
    """Tell whether a fact is that nobody called a client back in all the time there was."""
    return fact.kind == ESCALATED and fact.payload["ending"] == Ending.EXPIRED


def alarm_mail(
    fact: StoredFact, *, sender: str, to: str, language: str, zone: str, key: str
) -> EmailMessage:
    """Return the notice of a cap that stops callbacks, or of the switch; see `missed_mail`."""
    words, about = _MAIL[language], fact.payload
    alarm = Alarm(about["alarm"])
    prefix = clean(about["prefix"])
    lines = [
        (words["prefix"], prefix),
        (words["limit"], _text(about["limit"])),
        (words["at"], _at(about["at"], zone)),
        (words["by"], clean(_text(about["by"]))),
        (words["why"], clean(about["reason"])),
        (words["halted"], _at(about["since"], zone)),
    ]
    subject = words[alarm].format(prefix=prefix)
    more = f"\n{words['fraud']}\n" if alarm in _CAPS else ""
    return mail_of(subject, lines, more, sender, to, key, fact.created_at)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _at(text: str | None, zone: str) -> str:
    if not text:
        return ""
    return f"{datetime.fromisoformat(text).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M %Z}"
