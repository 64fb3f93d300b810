"""What a process needs before it has a database: environment variables, checked at start.

`SETTINGS` is the one list: reading, error messages and docs/settings.md come from it. A secret may
also come from a file named by the same variable with `_FILE` behind it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telephony.domain.numbers import is_country


class SettingsError(Exception):
    """One or more settings are wrong; the message has a line for each."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable: its name, what it may be, its default (None: it must be set), its parser."""

    name: str
    attribute: str
    about: str
    may_be: str
    default: str | None
    parse: Callable[[str], Any]
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a process, parsed."""

    database_url: str
    data_dir: Path
    ami_host: str
    ami_port: int
    ami_user: str
    ami_secret: str
    token: str
    country: str
    language: str
    log_level: str
    log_format: str

    @property
    def spill(self) -> Path:
        """The file that keeps records while the database cannot."""
        return self.data_dir / "spill.jsonl"


def _matching(pattern: str) -> Callable[[str], str]:
    def parse(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise ValueError(text)
        return text

    return parse


def _port(text: str) -> int:
    port = int(text) if text.isascii() and text.isdigit() else 0
    if not 1 <= port <= 65535:
        raise ValueError(text)
    return port


def _country(text: str) -> str:
    if not is_country(text):
        raise ValueError(text)
    return text


SETTINGS = (
    Setting(
        "DUTYLINE_DATABASE_URL",
        "database_url",
        "Where the records are kept.",
        "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
        "sqlite:///dutyline.db",
        _matching(r"(sqlite:///|postgresql(\+psycopg)?://).+"),
        secret=True,
    ),
    Setting(
        "DUTYLINE_DATA_DIR",
        "data_dir",
        "Folder for the spill file and the lock of the listener; made when missing.",
        "a folder this user may write to",
        ".",
        Path,
    ),
    Setting(
        "DUTYLINE_AMI_HOST",
        "ami_host",
        "Where Asterisk's manager interface listens.",
        "a host name or an address",
        "127.0.0.1",
        _matching(r"[A-Za-z0-9.:_-]+"),
    ),
    Setting(
        "DUTYLINE_AMI_PORT",
        "ami_port",
        "Its TCP port.",
        "a number from 1 to 65535",
        "5038",
        _port,
    ),
    Setting(
        "DUTYLINE_AMI_USER",
        "ami_user",
        "The manager user that `dutyline pbx-config` writes.",
        "letters, digits, - and _",
        "dutyline",
        _matching(r"[A-Za-z0-9_-]{1,40}"),
    ),
    Setting(
        "DUTYLINE_AMI_SECRET",
        "ami_secret",
        "That user's password.",
        "8 to 80 printable characters without spaces, quotes, ; and \\",
        None,
        _matching(r"[!#-&(-:<-\[\]-~]{8,80}"),
        secret=True,
    ),
    Setting(
        "DUTYLINE_TOKEN",
        "token",
        "Secret that the dialplan puts into its events, so that nobody else's are believed.",
        "16 to 80 letters, digits, - and _",
        None,
        _matching(r"[A-Za-z0-9_-]{16,80}"),
        secret=True,
    ),
    Setting(
        "DUTYLINE_COUNTRY",
        "country",
        "How numbers without a country code are read.",
        "a two-letter country code such as RU, DE or US",
        "RU",
        _country,
    ),
    Setting(
        "DUTYLINE_LANGUAGE",
        "language",
        "Language of what the commands print.",
        "en or ru",
        "en",
        _matching(r"en|ru"),
    ),
    Setting(
        "DUTYLINE_LOG_LEVEL",
        "log_level",
        "From which level on messages are logged.",
        "debug, info, warning or error",
        "info",
        _matching(r"debug|info|warning|error"),
    ),
    Setting(
        "DUTYLINE_LOG_FORMAT",
        "log_format",
        "text for people, json for machines.",
        "text or json",
        "text",
        _matching(r"text|json"),
    ),
)


def read_settings(environ: Mapping[str, str], *, without: frozenset[str] = frozenset()) -> Settings:
    """Return the settings. Raises SettingsError naming every wrong setting and what it may be.

    `without` are attributes a command does not need: they may be unset, and are then empty.
    """
    problems: list[str] = []
    values: dict[str, Any] = {}
    for setting in SETTINGS:
        try:
            text = _text(setting, environ)
        except OSError as error:
            problems.append(f"{setting.name}_FILE: cannot be read: {error.strerror}")
            continue
        except UnicodeDecodeError:
            problems.append(f"{setting.name}_FILE: is not UTF-8 text")
            continue
        if text is None:
            if setting.attribute in without:
                values[setting.attribute] = ""
            else:
                problems.append(f"{setting.name} is not set: it must be {setting.may_be}")
            continue
        try:
            values[setting.attribute] = setting.parse(text)
        except ValueError:
            shown = "" if setting.secret else f" {text!r}"
            problems.append(f"{setting.name}{shown} is wrong: it must be {setting.may_be}")
    known = {setting.name for setting in SETTINGS}
    known |= {f"{setting.name}_FILE" for setting in SETTINGS if setting.secret}
    problems += [
        f"{name} is not a setting of Dutyline: is it misspelt?"
        for name in sorted(environ)
        if name.startswith("DUTYLINE_") and name not in known | _OTHERS
    ]
    if problems:
        raise SettingsError("\n".join(problems))
    return Settings(**values)


# Read by the test lab and the supervisor, not settings.
_OTHERS = frozenset({"DUTYLINE_LAB_CACHE", "DUTYLINE_LAB_ASTERISK", "DUTYLINE_SUPERVISED"})


def _text(setting: Setting, environ: Mapping[str, str]) -> str | None:
    """Return a variable's text, or its file's. Raises OSError."""
    if setting.secret and (name := environ.get(f"{setting.name}_FILE")):
        return Path(name).read_text(encoding="utf-8").strip()
    return environ.get(setting.name) or setting.default
