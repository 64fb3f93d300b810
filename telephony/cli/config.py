"""`dutyline config export`, `diff` and `apply`."""

from __future__ import annotations

from pathlib import Path

import click

from telephony.cli.common import Failed, database, readable, settings_for
from telephony.configfile import apply_config, read_config, write_config
from telephony.store.engine import reading
from telephony.store.setup import AssignedError, load_setup


@click.group()
def config() -> None:
    """Operators, duty groups with their rosters, who is away, and DIDs, as a YAML file."""


@config.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
@readable
def export(file: Path | None) -> None:
    """Write the set-up as a file that `apply` takes: into FILE, or to the screen."""
    settings = settings_for(ami=False)
    with database(settings) as engine, reading(engine) as session:
        text = write_config(load_setup(session))
    if file is None:
        click.echo(text, nl=False)
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failed(f"{file} cannot be written: {error.strerror}") from None
    click.echo(f"written: {file}")


@config.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@readable
def diff(file: Path) -> None:
    """Show what `apply` would change; nothing is changed."""
    _apply(file, dry_run=True)


@config.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only show the difference.")
@readable
def apply(file: Path, dry_run: bool) -> None:
    """Make the set-up equal to FILE: all of it, or nothing when a line is wrong.

    What the file does not name is removed. See docs/configuration.md; a running listener follows
    within a second.
    """
    _apply(file, dry_run=dry_run)


def _apply(file: Path, *, dry_run: bool) -> None:
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
