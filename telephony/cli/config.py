"""`dutyline config apply`."""

from __future__ import annotations

from pathlib import Path

import click

from telephony.cli.common import Failed, database, readable, settings_for
from telephony.configfile import apply_config, read_config
from telephony.store.setup import AssignedError


@click.group()
def config() -> None:
    """Operators, duty groups with shifts, and DIDs, as a YAML file."""


@config.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only show the difference.")
@readable
def apply(file: Path, dry_run: bool) -> None:
    """Make the set-up equal to FILE: all of it, or nothing when a line is wrong.

    What the file does not name is removed. See docs/configuration.md; a running listener follows
    within a second.
    """
    settings = settings_for(ami=False)
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Failed(f"{file.name} is not UTF-8 text: save it as UTF-8") from None
    setup, errors = read_config(text, settings.country)
    for error in errors:
        click.echo(f"{file.name}: {error}", err=True)
    if errors:
        raise Failed(f"nothing was changed: {len(errors)} error(s)")
    with database(settings) as engine:
        try:
            found = apply_config(engine, setup, dry_run=dry_run)
        except AssignedError as error:
            raise Failed(f"nothing was changed: {error}") from None
    for difference in found:
        click.echo(str(difference))
    if not found:
        click.echo("nothing to change")
    elif dry_run:
        click.echo("nothing was changed: this was a dry run")
