"""What a process needs before it has a database: environment variables, checked at start.

`SETTINGS` is the one list: reading, error messages and docs/settings.md come from it. A secret may
also come from a file named by the same variable with `_FILE` behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from telephony import parsing
from telephony.parsing import Network


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
    sounds_dir: str
    ami_host: str
    ami_port: int
    ami_user: str
    ami_secret: str
    token: str
    country: str
    language: str
    log_level: str
    log_format: str
    queue_log: Path | None
    cdr_file: Path | None
    cdr_url: str
    web_host: str
    web_port: int
    web_url: str
    web_proxies: int
    metrics_allow: tuple[Network, ...]
    secret_key: tuple[str, ...]
    redis_url: str
    redis_server: str
    outgoing_allow: tuple[Network, ...]
    outgoing_ports: tuple[int, ...]
    smtp_host: str
    smtp_port: int
    smtp_security: str
    smtp_user: str
    smtp_password: str
    mail_from: str

    @property
    def spill(self) -> Path:
        """The file that keeps records while the database cannot."""
        return self.data_dir / "spill.jsonl"


SETTINGS = (
    Setting(
        "DUTYLINE_DATABASE_URL",
        "database_url",
        "Where the records are kept.",
        "sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME",
        "sqlite:///dutyline.db",
        parsing.matching(r"(sqlite:///|postgresql(\+psycopg)?://).+"),
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
        "DUTYLINE_SOUNDS_DIR",
        "sounds_dir",
        "Where uploaded announcements go for Asterisk: the folder `dutyline` below its sounds.",
        "such as /var/lib/asterisk/sounds/dutyline; empty for nowhere",
        "",
        str,
    ),
    Setting(
        "DUTYLINE_AMI_HOST",
        "ami_host",
        "Where Asterisk's manager interface listens.",
        "a host name or an address",
        "127.0.0.1",
        parsing.matching(r"[A-Za-z0-9.:_-]+"),
    ),
    Setting(
        "DUTYLINE_AMI_PORT",
        "ami_port",
        "Its TCP port.",
        "a number from 1 to 65535",
        "5038",
        parsing.port,
    ),
    Setting(
        "DUTYLINE_AMI_USER",
        "ami_user",
        "The manager user that `dutyline pbx-config` writes.",
        "letters, digits, - and _",
        "dutyline",
        parsing.matching(r"[A-Za-z0-9_-]{1,40}"),
    ),
    Setting(
        "DUTYLINE_AMI_SECRET",
        "ami_secret",
        "That user's password.",
        "8 to 80 printable characters without spaces, quotes, ; and \\",
        None,
        parsing.matching(r"[!#-&(-:<-\[\]-~]{8,80}"),
        secret=True,
    ),
    Setting(
        "DUTYLINE_TOKEN",
        "token",
        "Secret that the dialplan puts into its events, so that nobody else's are believed.",
        "16 to 80 letters, digits, - and _",
        None,
        parsing.matching(r"[A-Za-z0-9_-]{16,80}"),
        secret=True,
    ),
    Setting(
        "DUTYLINE_COUNTRY",
        "country",
        "How numbers without a country code are read.",
        "a two-letter country code such as RU, DE or US",
        "RU",
        parsing.country,
    ),
    Setting(
        "DUTYLINE_LANGUAGE",
        "language",
        "Language of what the commands print.",
        "en or ru",
        "en",
        parsing.matching(r"en|ru"),
    ),
    Setting(
        "DUTYLINE_LOG_LEVEL",
        "log_level",
        "From which level on messages are logged.",
        "debug, info, warning or error",
        "info",
        parsing.matching(r"debug|info|warning|error"),
    ),
    Setting(
        "DUTYLINE_LOG_FORMAT",
        "log_format",
        "text for people, json for machines.",
        "text or json",
        "text",
        parsing.matching(r"text|json"),
    ),
    Setting(
        "DUTYLINE_QUEUE_LOG",
        "queue_log",
        "The PBX's queue_log, to fill in calls that ended while nobody listened.",
        "empty, or a file such as /var/log/asterisk/queue_log",
        "",
        parsing.optional_path,
    ),
    Setting(
        "DUTYLINE_CDR_FILE",
        "cdr_file",
        "The PBX's call records as CSV, for the same.",
        "empty, or a file such as /var/log/asterisk/cdr-csv/Master.csv",
        "",
        parsing.optional_path,
    ),
    Setting(
        "DUTYLINE_CDR_URL",
        "cdr_url",
        "A database in which the PBX has its table cdr, for the same.",
        "empty, or DRIVER://USER:PASSWORD@HOST/asteriskcdrdb",
        "",
        parsing.matching(r"|[a-z0-9_]+(\+[a-z0-9_]+)?://.+"),
        secret=True,
    ),
    Setting(
        "DUTYLINE_WEB_HOST",
        "web_host",
        "On which address the panel listens.",
        "a host name or an address; 0.0.0.0 for all",
        "127.0.0.1",
        parsing.matching(r"[A-Za-z0-9.:_-]+"),
    ),
    Setting(
        "DUTYLINE_WEB_PORT",
        "web_port",
        "Its TCP port.",
        "a number from 1 to 65535",
        "8080",
        parsing.port,
    ),
    Setting(
        "DUTYLINE_WEB_URL",
        "web_url",
        "The panel's address as people's browsers see it; with https its cookie is Secure.",
        "empty, or such as https://calls.example.com",
        "",
        parsing.site,
    ),
    Setting(
        "DUTYLINE_WEB_PROXIES",
        "web_proxies",
        "How many reverse proxies stand before the panel and tell the visitor's address.",
        "a number from 0 to 5",
        "0",
        parsing.few,
    ),
    Setting(
        "DUTYLINE_METRICS_ALLOW",
        "metrics_allow",
        "From which addresses /metrics is read without a token.",
        "addresses and networks, separated by commas",
        "127.0.0.1,::1",
        parsing.networks,
    ),
    Setting(
        "DUTYLINE_SECRET_KEY",
        "secret_key",
        "Seals secrets in the database and signs the panel's cookies; empty: a key file in "
        "DUTYLINE_DATA_DIR.",
        "empty, or 32 to 200 characters without spaces; several by commas, the new one first",
        "",
        parsing.keys,
        secret=True,
    ),
    Setting(
        "DUTYLINE_REDIS_URL",
        "redis_url",
        "The Redis that carries jobs to the workers; empty: a private one that `dutyline run` "
        "starts.",
        "empty, redis://…, rediss://… or unix://…",
        "",
        parsing.matching(r"((redis|rediss|unix)://\S+)?"),
        secret=True,
    ),
    Setting(
        "DUTYLINE_REDIS_SERVER",
        "redis_server",
        "The program of the private Redis.",
        "a program in PATH, or the path of one",
        "redis-server",
        parsing.matching(r".+"),
    ),
    Setting(
        "DUTYLINE_OUTGOING_ALLOW",
        "outgoing_allow",
        "Private networks that webhooks and calendars may reach, also by http; other addresses "
        "that are not public are refused.",
        "empty, or addresses and networks, separated by commas",
        "",
        parsing.networks,
    ),
    Setting(
        "DUTYLINE_OUTGOING_PORTS",
        "outgoing_ports",
        "TCP ports that webhooks and calendars may use.",
        "numbers from 1 to 65535, separated by commas",
        "80,443,8080,8443",
        parsing.ports,
    ),
    Setting(
        "DUTYLINE_SMTP_HOST",
        "smtp_host",
        "The mail server for notices; empty: none are sent.",
        "empty, a host name or an address",
        "",
        parsing.matching(r"[A-Za-z0-9.:_-]*"),
    ),
    Setting(
        "DUTYLINE_SMTP_PORT",
        "smtp_port",
        "Its TCP port.",
        "a number from 1 to 65535",
        "587",
        parsing.port,
    ),
    Setting(
        "DUTYLINE_SMTP_SECURITY",
        "smtp_security",
        "How the connection to it is protected: from the start (tls), by STARTTLS, or not.",
        "starttls, tls or none",
        "starttls",
        parsing.matching(r"starttls|tls|none"),
    ),
    Setting(
        "DUTYLINE_SMTP_USER",
        "smtp_user",
        "The user to log in as; empty: no login.",
        "empty, or a name without spaces",
        "",
        parsing.matching(r"\S*"),
    ),
    Setting(
        "DUTYLINE_SMTP_PASSWORD",
        "smtp_password",
        "That user's password.",
        "empty, or printable characters",
        "",
        parsing.matching(r"[^\x00-\x1f\x7f]*"),
        secret=True,
    ),
    Setting(
        "DUTYLINE_MAIL_FROM",
        "mail_from",
        "The sender's address of notices; must be set when there is a mail server.",
        "empty, or an e-mail address such as dutyline@example.com",
        "",
        parsing.matching(r"([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9.-]+)?"),
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
_OTHERS = frozenset(
    {
        "DUTYLINE_LAB_CACHE",
        "DUTYLINE_LAB_ASTERISK",
        "DUTYLINE_LAB_CHROMIUM",
        "DUTYLINE_SUPERVISED",
    }
)


def _text(setting: Setting, environ: Mapping[str, str]) -> str | None:
    """Return a variable's text, or its file's. Raises OSError."""
    if setting.secret and (name := environ.get(f"{setting.name}_FILE")):
        return Path(name).read_text(encoding="utf-8").strip()
    return environ.get(setting.name) or setting.default
