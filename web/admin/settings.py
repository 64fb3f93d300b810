"""What the panel's process was started with: its settings, as environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from flask import Blueprint, render_template

from telephony.accounts import Role
from telephony.settings import SETTINGS, Setting
from web.i18n import current_language
from web.rights import allow
from web.services import services

blueprint = Blueprint("settings", __name__, url_prefix="/settings")

# The words of SETTINGS in Russian; a test keeps them complete.
ABOUT_RU = {
    "DUTYLINE_DATABASE_URL": "Где хранятся записи.",
    "DUTYLINE_DATA_DIR": "Папка для файла отложенных записей и блокировки слушателя.",
    "DUTYLINE_SOUNDS_DIR": "Куда класть объявления для Asterisk: папка dutyline среди его звуков.",
    "DUTYLINE_AMI_HOST": "Где принимает подключения интерфейс управления Asterisk.",
    "DUTYLINE_AMI_PORT": "Его TCP-порт.",
    "DUTYLINE_AMI_USER": "Пользователь AMI, которого записывает dutyline pbx-config.",
    "DUTYLINE_AMI_SECRET": "Пароль этого пользователя.",
    "DUTYLINE_TOKEN": "Секрет в событиях диалплана: чужим событиям не верят.",
    "DUTYLINE_COUNTRY": "Как читать номера без кода страны.",
    "DUTYLINE_LANGUAGE": "Язык того, что печатают команды.",
    "DUTYLINE_LOG_LEVEL": "С какого уровня писать в журнал.",
    "DUTYLINE_LOG_FORMAT": "text для людей, json для программ.",
    "DUTYLINE_QUEUE_LOG": "Журнал queue_log АТС: из него восстанавливаются пропущенные звонки.",
    "DUTYLINE_CDR_FILE": "Записи о звонках АТС в CSV, для того же.",
    "DUTYLINE_CDR_URL": "База данных, где у АТС таблица cdr, для того же.",
    "DUTYLINE_WEB_HOST": "На каком адресе работает панель.",
    "DUTYLINE_WEB_PORT": "Её TCP-порт.",
    "DUTYLINE_WEB_URL": "Адрес панели, каким его видят браузеры; с https cookie защищена.",
    "DUTYLINE_WEB_PROXIES": "Сколько обратных прокси перед панелью сообщают адрес посетителя.",
    "DUTYLINE_METRICS_ALLOW": "С каких адресов /metrics читают без токена.",
    "DUTYLINE_SECRET_KEY": "Запечатывает секреты в базе и подписывает cookie панели.",
    "DUTYLINE_REDIS_URL": "Redis, через который задания идут исполнителям; пусто: свой.",
    "DUTYLINE_REDIS_SERVER": "Программа своего Redis.",
    "DUTYLINE_OUTGOING_ALLOW": "Частные сети, доступные вебхукам и календарям, и по http.",
    "DUTYLINE_OUTGOING_PORTS": "TCP-порты, доступные вебхукам и календарям.",
    "DUTYLINE_SMTP_HOST": "Почтовый сервер для уведомлений; пусто: не отправлять.",
    "DUTYLINE_SMTP_PORT": "Его TCP-порт.",
    "DUTYLINE_SMTP_SECURITY": "Как защищено соединение: сразу (tls), по STARTTLS или никак.",
    "DUTYLINE_SMTP_USER": "Имя для входа; пусто: без входа.",
    "DUTYLINE_SMTP_PASSWORD": "Пароль для входа.",
    "DUTYLINE_MAIL_FROM": "Адрес отправителя уведомлений; нужен, если есть почтовый сервер.",
}


class State(StrEnum):
    """What there is to say of a setting instead of its value."""

    HIDDEN = "hidden"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Line:
    """A setting: its variable, what it is, its value or why none is shown, and whether usual."""

    name: str
    about: str
    value: str | State
    usual: bool


@blueprint.get("")
@allow(Role.ADMIN)
def index() -> str:
    """Show every setting; secrets only as being there."""
    known = services().settings
    lines = [_line(one, getattr(known, one.attribute)) for one in SETTINGS]
    return render_template("admin/settings.html", lines=lines, states=State)


def _line(setting: Setting, value: Any) -> Line:
    about = ABOUT_RU[setting.name] if current_language() == "ru" else setting.about
    text = _text(value)
    shown: str | State = text
    if not text:
        shown = State.EMPTY
    elif setting.secret:
        shown = State.HIDDEN
    usual = setting.default is not None and value == setting.parse(setting.default)
    return Line(setting.name, about.replace("`", ""), shown, usual)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return str(value.resolve()) if isinstance(value, Path) else str(value)
