"""The `dutyline` command: each subcommand in a module of its own."""

from __future__ import annotations

import click

from telephony import __version__
from telephony.cli.calls import calls
from telephony.cli.config import config
from telephony.cli.doctor import doctor
from telephony.cli.explain import explain
from telephony.cli.importing import import_
from telephony.cli.migrate import migrate
from telephony.cli.pbx import pbx_config
from telephony.cli.running import listen, run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dutyline")
def main() -> None:
    """Dutyline sends every call to the client's own manager, or to whoever is on duty.

    Settings come from DUTYLINE_… environment variables: see docs/settings.md.
    """


for command in (run, listen, doctor, explain, calls, import_, config, pbx_config, migrate):
    main.add_command(command)
