"""The words for events, and for why something did not arrive, in English and Russian."""

from __future__ import annotations

import re
from collections.abc import Mapping

from telephony.domain.duty.calendars import CALENDAR_FAILED
from telephony.domain.duty.outlook import DUTY_GAP
from telephony.notify.events import ANSWERED, ENDED, MISSED, STARTED
from telephony.store.alarms import ALARM
from telephony.store.cases import CLOSED, ESCALATED, NEAR, OPENED, OVERDUE
from telephony.words import LANGUAGES

_EVENTS: Mapping[str, tuple[str, str]] = {
    STARTED: ("A call began", "Звонок начался"),
    ANSWERED: ("A call was answered", "На звонок ответили"),
    ENDED: ("A call ended", "Звонок закончился"),
    MISSED: ("A call was missed", "Пропущен звонок"),
    OPENED: ("Somebody is to be called back", "Нужно перезвонить"),
    NEAR: ("A callback is nearly late", "Срок обратного звонка истекает"),
    OVERDUE: ("A callback is overdue", "Обратный звонок просрочен"),
    ESCALATED: ("A callback needs a person", "Обратный звонок ждёт человека"),
    CLOSED: ("A callback is over", "Обратный звонок закрыт"),
    ALARM: ("Callbacks stop or go on", "Остановка и пуск обратных звонков"),
    CALENDAR_FAILED: ("A calendar cannot be read", "Календарь не читается"),
    DUTY_GAP: ("A time without duty is ahead", "Впереди время без дежурных"),
}

# Reasons are kept in English with what failed; these are the same in Russian.
_REASONS = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"the address is longer than (\d+) characters", "адрес длиннее {0} знаков"),
        (
            r"the address holds spaces or control characters",
            "в адресе пробелы или управляющие знаки",
        ),
        (r"this is no address of a web server", "это не адрес веб-сервера"),
        (r"the address must begin with https://", "адрес должен начинаться с https://"),
        (
            r"the address must not hold a user or a password before the host",
            "перед именем сервера в адресе не должно быть имени и пароля",
        ),
        (
            r"port (\d+) is not among DUTYLINE_OUTGOING_PORTS \((.*)\)",
            "порта {0} нет среди DUTYLINE_OUTGOING_PORTS ({1})",
        ),
        (r"the name (\S+) has no address", "у имени {0} нет адреса"),
        (
            r"http is for networks in DUTYLINE_OUTGOING_ALLOW only: use https",
            "http — только для сетей из DUTYLINE_OUTGOING_ALLOW, нужен https",
        ),
        (r"(\S+) leads to an address that is not public", "{0} ведёт не в открытую сеть"),
        (r"no answer within (\S+) s", "нет ответа за {0}\N{NO-BREAK SPACE}с"),
        (r"no answer in time", "ответа не было слишком долго"),
        (r"the name (\S+) was not resolved in time", "имя {0} слишком долго не находится"),
        (r"the name (\S+) is not known: (.*)", "имя {0} не найдено: {1}"),
        (r"its certificate is not trusted: (.*)", "сертификату нельзя доверять: {0}"),
        (r"Connect(?:Error|Timeout): (.*)", "соединиться не удалось: {0}"),
        (r"ConnectionRefusedError: .*", "почтовый сервер не принимает соединений"),
        (r"gaierror: .*", "имя почтового сервера не найдено"),
        (r"it was not done within (\S+) s", "не удалось за {0}\N{NO-BREAK SPACE}с"),
        (r"the call's record is gone", "записи о звонке больше нет"),
        (r"the webhook was removed or disabled", "вебхук удалён или выключен"),
        (r"the webhook was removed", "вебхук удалён"),
        (r"the webhook was paused", "вебхук приостановлен"),
        (r"too late to tell that a phone rings", "поздно сообщать, что телефон звонит"),
        (r"Zammad takes no internal calls", "Zammad не принимает внутренних звонков"),
        (r"the receiver wants no more \(410\)", "получатель отказался от событий (410)"),
        (
            r"it redirects \((\d+)\): that is not followed",
            "в ответ пришло перенаправление ({0}), по ним не ходим",
        ),
        (r"it answered (\d+)", "получатель ответил {0}"),
        (
            r"the notice or its recipient was removed",
            "уведомления или его получателя больше нет",
        ),
        (r"(DUTYLINE_SMTP_HOST) is not set", "не задана настройка {0}"),
        (r"the receiver was down all the time", "получатель не отвечал всё это время"),
        (
            r"its receiver fails or is slow",
            "получатель не отвечает или отвечает медленно",
        ),
    )
)


def say_event(event: str, language: str) -> str:
    """Return what an event is in `language` (en or ru); an unknown one stands for itself."""
    known = _EVENTS.get(event)
    return event if known is None else known[LANGUAGES.index(language)]


def say_reason(why: str, language: str) -> str:
    """Return why something was not delivered in `language`; what a server said stays as it is."""
    if language == "en":
        return why
    for pattern, words in _REASONS:
        found = pattern.fullmatch(why)
        if found is not None:
            return words.format(*found.groups())
    return why
