"""The words for the codes that the domain returns, in English and Russian.

A trace is stored as codes with values; its words are made here, in the reader's language. A test
keeps both languages complete. Names stand in Russian sentences as they are: no word there asks for
another case or the gender of whoever is named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any

from telephony.casewords import ATTENTIONS, ENDINGS, ENDS, SOURCES, STATES, WHYS
from telephony.domain.callback import cases as callbacks
from telephony.domain.callback.results import Ended, Why
from telephony.domain.directory import Stage
from telephony.domain.duty.calendars import Flaw
from telephony.domain.pauses import PauseKind
from telephony.domain.record import (
    Direction,
    Disposition,
    LegKind,
    Moment,
    MomentKind,
    Outcome,
    Side,
    Source,
)
from telephony.domain.routing import Checked, Kind, Reason, Rule, Step
from telephony.ical.reading import Fault
from telephony.phrases import REASONS, RULES

LANGUAGES = ("en", "ru")

_KINDS: dict[Kind, tuple[str, str]] = {
    Kind.DESK: ("desk phone", "настольный телефон"),
    Kind.MOBILE: ("mobile", "мобильный"),
    Kind.QUEUE: ("queue", "очередь"),
    Kind.SAY: ("announcement", "объявление"),
    Kind.MENU: ("menu", "голосовое меню"),
    Kind.NUMBER: ("another number", "другой номер"),
    Kind.PROMISE: ("promise of a callback", "обещание перезвонить"),
    Kind.VOICEMAIL: ("voicemail", "голосовая почта"),
    Kind.REJECT: ("call rejected", "звонок отклонён"),
    Kind.END: ("end of the call", "завершение звонка"),
    Kind.FALLBACK: ("fallback", "резервный маршрут"),
}

_DISPOSITIONS: dict[Disposition, tuple[str, str]] = {
    Disposition.ANSWERED: ("answered", "отвечен"),
    Disposition.CALLBACK_ASKED: ("asked to be called back", "просьба перезвонить"),
    Disposition.ABANDONED: ("abandoned", "брошен"),
    Disposition.NO_ANSWER: ("no answer", "нет ответа"),
    Disposition.BUSY: ("busy", "занято"),
    Disposition.FAILED: ("failed", "не удался"),
    Disposition.LOST: ("lost", "потерян"),
    Disposition.VOICEMAIL: ("voicemail", "голосовое сообщение"),
    Disposition.BLOCKED: ("blocked", "заблокирован"),
    Disposition.NOT_PLACED: ("operator not reached", "оператор не принял"),
}

_SIDES: dict[Side, tuple[str, str]] = {
    Side.CALLER: ("caller", "клиент"),
    Side.OPERATOR: ("operator", "оператор"),
    Side.SYSTEM: ("system", "система"),
}

_OUTCOMES: dict[Outcome, tuple[str, str]] = {
    Outcome.TALKED: ("talked", "разговор"),
    Outcome.ACCEPTED: ("accepted", "принят"),
    Outcome.NO_ANSWER: ("no answer", "нет ответа"),
    Outcome.BUSY: ("busy", "занято"),
    Outcome.DECLINED: ("declined", "отклонён"),
    Outcome.REFUSED: ("nobody pressed 1", "никто не нажал 1"),
    Outcome.CANCELLED: ("cancelled", "отменён"),
    Outcome.UNREACHABLE: ("unreachable", "недоступен"),
}

_DIRECTIONS: dict[Direction, tuple[str, str]] = {
    Direction.IN: ("inbound", "входящий"),
    Direction.OUT: ("outbound", "исходящий"),
    Direction.INTERNAL: ("internal", "внутренний"),
}

_SOURCES: dict[Source, tuple[str, str]] = {
    Source.EVENTS: ("live events", "события АТС"),
    Source.QUEUE_LOG: ("the PBX's queue log", "журнал очередей АТС"),
    Source.CDR: ("the PBX's call records", "записи о звонках АТС"),
}

_MOMENTS: dict[MomentKind, tuple[str, str]] = {
    MomentKind.HELD: ("{by} put the call on hold", "{by}: удержание"),
    MomentKind.RESUMED: ("{by} took the call back", "{by}: снято с удержания"),
    MomentKind.BLIND_TRANSFER: ("{by} transferred the call to {to}", "перевод: {by} → {to}"),
    MomentKind.ATTENDED_TRANSFER: (
        "{by} handed the call over to {to}",
        "перевод с консультацией: {by} → {to}",
    ),
    MomentKind.CONSULTED: ("{by} consulted {to}", "консультация: {by} и {to}"),
    MomentKind.PICKED_UP: (
        "{by} picked up the call that rang at {to}",
        "перехват звонка: {to} → {by}",
    ),
    MomentKind.PARKED: ("{by} parked the call at {slot}", "{by}: парковка на {slot}"),
    MomentKind.PROMISED: ("a callback was promised", "обещан обратный звонок"),
    MomentKind.VOICEMAIL: (
        "a message was left in mailbox {mailbox}",
        "оставлено сообщение в ящике {mailbox}",
    ),
    MomentKind.UNPARKED: ("{by} took the call from {slot}", "{by}: снято с парковки {slot}"),
    MomentKind.CALLBACK_ASKED: (
        "the caller asked to be called back (queue {queue})",
        "просьба перезвонить (очередь {queue})",
    ),
    MomentKind.ORDER_ACCEPTED: (
        "who was called first accepted",
        "вызванный первым принял звонок",
    ),
    MomentKind.ORDER_REFUSED: (
        "the PBX did not dial: {status}",
        "АТС не стала звонить: {status}",
    ),
    MomentKind.ORDER_DIALLED: (
        "the dialling ended: {status}",
        "набор завершён: {status}",
    ),
}

_LEGS: dict[LegKind, tuple[str, str]] = {
    LegKind.DESK: ("desk phone", "настольный телефон"),
    LegKind.MOBILE: ("mobile", "мобильный"),
    LegKind.FALLBACK: ("fallback", "резервный маршрут"),
    LegKind.OUTSIDE: ("outside phone", "внешний телефон"),
}

_FLAWS: dict[Flaw, tuple[str, str]] = {
    Flaw.NOBODY: ("names no operator", "не назван никто из операторов"),
    Flaw.UNKNOWN_NAME: ("no operator is called so", "такого оператора нет"),
    Flaw.AMBIGUOUS_NAME: ("several operators are called so", "так зовут нескольких операторов"),
    Flaw.NO_LENGTH: ("ends when it begins", "кончается, когда начинается"),
    Flaw.UNREADABLE: ("cannot be read", "не читается"),
    Flaw.UNKNOWN_ZONE: (
        "a time zone that nobody knows: the times are taken as local",
        "неизвестный часовой пояс: время взято как местное",
    ),
}

# `detail` is the limit, or what stands there.
_FAULTS: dict[Fault, tuple[str, str]] = {
    Fault.TOO_LARGE: ("the file is larger than {detail}", "файл больше {detail}"),
    Fault.NO_TEXT: ("the file is no text in UTF-8", "файл — не текст в UTF-8"),
    Fault.NO_CALENDAR: (
        "this is no iCalendar file: it begins with “{detail}”",
        "это не файл iCalendar: он начинается с «{detail}»",
    ),
    Fault.TOO_MANY_EVENTS: ("more than {detail} events", "больше {detail} событий"),
    Fault.TOO_OFTEN: (
        "an event repeats more often than once a day: {detail}",
        "событие повторяется чаще, чем раз в день: {detail}",
    ),
    Fault.TOO_MANY_OCCURRENCES: (
        "more than {detail} occurrences in two months",
        "больше {detail} повторений за два месяца",
    ),
    Fault.TOO_SLOW: (
        "its repetitions take longer than {detail} to work out",
        "расчёт повторений занимает больше {detail}",
    ),
    Fault.BROKEN: ("the calendar is broken: {detail}", "календарь повреждён: {detail}"),
    Fault.ADDRESS: ("the address cannot be used: {detail}", "адрес не годится: {detail}"),
    Fault.NO_ANSWER: ("the server does not answer: {detail}", "сервер не отвечает: {detail}"),
    Fault.STATUS: ("the server answered {detail}", "сервер ответил {detail}"),
    Fault.SECRET: ("the address cannot be opened: {detail}", "адрес не открыть: {detail}"),
}

_STAGES: dict[Stage, tuple[str, str]] = {
    Stage.LEAD: ("lead", "лид"),
    Stage.CUSTOMER: ("customer", "клиент"),
}

# Why the dialplan took the fallback: the codes of telephony.ami.names.FALLBACK_REASONS.
_FALLBACKS: dict[str, tuple[str, str]] = {
    "stale": ("Dutyline was not running", "Dutyline не работал"),
    "late": ("the plan did not come in time", "план не пришёл вовремя"),
    "broken": ("the plan was not complete", "план оказался неполным"),
    "noqueue": ("the PBX does not have the queue", "на АТС нет такой очереди"),
    "planned": ("nobody on duty could be rung", "дежурным звонить было некому"),
    "transfer": ("a transfer reached nobody", "при переводе никто не ответил"),
}

# What values of a trace or a moment are telephone numbers.
_NUMBERS = frozenset({"number", "did", "mobile"})
_PAUSES: dict[PauseKind, tuple[str, str]] = {
    PauseKind.LUNCH: ("lunch", "обед"),
    PauseKind.BREAK: ("break", "перерыв"),
    PauseKind.OFFLINE: ("offline", "не на месте"),
    PauseKind.WRAP_UP: ("wrap-up", "обработка"),
}

# By type: members of two StrEnums with one text are equal.
_BY_TYPE: Mapping[type[StrEnum], Mapping[Any, tuple[str, str]]] = {
    Rule: RULES,
    Reason: REASONS,
    Kind: _KINDS,
    Disposition: _DISPOSITIONS,
    Side: _SIDES,
    Outcome: _OUTCOMES,
    Direction: _DIRECTIONS,
    Source: _SOURCES,
    MomentKind: _MOMENTS,
    LegKind: _LEGS,
    Flaw: _FLAWS,
    Fault: _FAULTS,
    Stage: _STAGES,
    PauseKind: _PAUSES,
    callbacks.CaseState: STATES,
    callbacks.Source: SOURCES,
    callbacks.Ending: ENDINGS,
    callbacks.Attention: ATTENTIONS,
    Why: WHYS,
    Ended: ENDS,
}


def say(code: StrEnum, language: str) -> str:
    """Return the word for a code in `language` (en or ru)."""
    return _BY_TYPE[type(code)][code][LANGUAGES.index(language)]


def say_fallback(code: str, language: str) -> str:
    """Return why the fallback was taken; a code that the dialplan does not send as it stands."""
    known = _FALLBACKS.get(code)
    return code if known is None else known[LANGUAGES.index(language)]


def say_checked(line: Checked, language: str, phone: Callable[[str], str] = str) -> str:
    """Return one line of a trace as a sentence, without its mark; `phone` writes numbers."""
    values = {"number": "", "group": ""}
    values |= {name: phone(text) if name in _NUMBERS else text for name, text in line.values}
    if line.reason is Reason.PAUSED:
        values["kind"] = say(PauseKind(values["kind"]), language)
    return f"{say(line.rule, language)}: {say(line.reason, language).format_map(values)}"


def say_moment(
    moment: Moment, names: Mapping[str, str], language: str, phone: Callable[[str], str] = str
) -> str:
    """Return what happened to a call in words; `names` maps extensions to operators' names, and
    `phone` writes numbers.
    """
    values = {
        name: value if name == "queue" else names.get(value) or phone(value)
        for name, value in moment.values
    }
    unknown = dict.fromkeys(("by", "to", "slot", "queue", "mailbox"), "?")
    return say(moment.kind, language).format_map(unknown | values)


def say_step(
    step: Step, names: Mapping[str, str], language: str, phone: Callable[[str], str] = str
) -> str:
    """Return one step of a plan in words; `names` maps extensions to operators' names, and
    `phone` writes numbers.
    """
    what = say(step.kind, language)
    if step.kind in (Kind.SAY, Kind.MENU, Kind.PROMISE):
        return f"{what}: {step.sound}" if step.sound else what
    if not step.targets:
        return what
    who = ", ".join(
        f"{names.get(target.operator, target.operator)} ({phone(target.address)})"
        if target.operator
        else phone(target.address)
        if step.kind is Kind.NUMBER
        else target.address
        for target in step.targets
    )
    if not step.seconds:
        return f"{what}: {who}"
    seconds = "s" if language == "en" else "с"
    # The space does not break: a number and its unit stay on one line.
    return f"{what}: {who}, {step.seconds}\N{NO-BREAK SPACE}{seconds}"
