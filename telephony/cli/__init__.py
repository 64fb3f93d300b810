"""The `dutyline` command: each subcommand in a module of its own."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, MutableMapping

import click

from telephony import __version__

# Command → where it is; `telephony.cli.` stands before each.
_COMMANDS = {
    "run": "running:run",
    "listen": "running:listen",
    "doctor": "doctor:doctor",
    "explain": "explain:explain",
    "duty": "duty:duty",
    "calls": "calls:calls",
    "import": "importing:import_",
    "config": "config:config",
    "pbx-config": "pbx:pbx_config",
    "migrate": "migrate:migrate",
    "healthcheck": "healthcheck:healthcheck",
    "users": "users:users",
    "web": "web:web",
    "relay": "relaying:relay",
    "work": "working:work",
    "redis": "redis:private_server",
    "webhooks": "webhooks:webhooks",
    "calendars": "calendars:calendars",
    "notices": "notices:notices",
    "deliveries": "notices:deliveries",
}


class _Commands(MutableMapping[str, click.Command]):
    """Commands that are imported when they are asked for.

    A process that runs one part would otherwise hold the libraries of all of them.
    """

    def __init__(self, places: dict[str, str]) -> None:
        self._places = places
        self._found: dict[str, click.Command] = {}

    def __getitem__(self, name: str) -> click.Command:
        if name not in self._found:
            module, _, attribute = self._places[name].partition(":")
            self._found[name] = getattr(
                importlib.import_module(f"telephony.cli.{module}"), attribute
            )
        return self._found[name]

    def __setitem__(self, name: str, command: click.Command) -> None:
        self._found[name] = command

    def __delitem__(self, name: str) -> None:
        del self._places[name]

    def __iter__(self) -> Iterator[str]:
        return iter({**self._places, **self._found})

    def __len__(self) -> int:
        return len({**self._places, **self._found})


@click.group(
    commands=_Commands(_COMMANDS), context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="dutyline")
def main() -> None:
    """Dutyline sends every call to the client's own manager, or to whoever is on duty.

    Settings come from DUTYLINE_… environment variables: see docs/settings.md.
    """
