"""`dutyline config export`, `diff`, `apply`, `history` and `undo`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy import Engine

from telephony.cli.common import Failed, database, readable, settings_for
from telephony.configfile import (
    COMMAND_LINE,
    Change,
    ConfigError,
    ConflictError,
    Difference,
    NoRevisionError,
    put,
    undo,
    write_config,
)
from telephony.store.engine import reading
from telephony.store.revisions import list_revisions
from telephony.store.setup import load_setup


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


@config.command()
@click.option("--limit", type=click.IntRange(1, 500), default=20, show_default=True)
@readable
def history(limit: int) -> None:
    """List the last changes of the set-up, whoever made them, newest first."""
    settings = settings_for(ami=False)
    with database(settings) as engine, reading(engine) as session:
        revisions, total = list_revisions(session, limit=limit, offset=0)
    for revision in revisions:
        undid = f", took back {revision.undid}" if revision.undid is not None else ""
        at = f"{revision.at:%Y-%m-%d %H:%M:%S} UTC"
        click.echo(f"version {revision.version}, {at}, {revision.actor}{undid}")
        for each in revision.differences:
            click.echo(f"  {Difference.from_json(each)}")
    if not revisions:
        click.echo("nothing was changed yet")
    elif total > len(revisions):
        click.echo(f"{total - len(revisions)} older: --limit shows more")


@config.command("undo")
@click.argument("version", type=click.IntRange(1))
@click.option("--dry-run", is_flag=True, help="Only show the difference.")
@readable
def undo_version(version: int, dry_run: bool) -> None:
    """Put back the set-up as it was before VERSION, of `history`, was made.

    Changes made since are taken back too: look at `--dry-run` first. This is a change like others
    and can be undone itself.
    """
    settings = settings_for(ami=False)
    with database(settings) as engine:
        try:
            done = undo(engine, COMMAND_LINE, version, now=datetime.now(UTC), dry_run=dry_run)
        except (NoRevisionError, ConflictError) as error:
            raise Failed(f"nothing was changed: {error}") from None
    _show(done, "the kept set-up", dry_run=dry_run)


def _apply(file: Path, *, dry_run: bool) -> None:
    settings = settings_for(ami=False)
    with database(settings) as engine:
        _show(put_file(engine, file, settings.country, dry_run=dry_run), file.name, dry_run=dry_run)


def put_file(engine: Engine, file: Path, country: str, *, dry_run: bool) -> Change:
    """Make the set-up equal to a file, or with `dry_run` say what that would do.

    Raises Failed, with the errors told, when the file cannot be.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise Failed(f"{file.name} is not UTF-8 text: save it as UTF-8") from None
    now = datetime.now(UTC)
    try:
        done = put(engine, COMMAND_LINE, text, now=now, country=country, dry_run=dry_run)
    except ConflictError as error:
        raise Failed(f"nothing was changed: {error}") from None
    _refuse(done.errors, file.name)
    return done


def _show(done: Change, source: str, *, dry_run: bool) -> None:
    """Say what was changed; Failed when it could not be."""
    _refuse(done.errors, source)
    for difference in done.differences:
        click.echo(str(difference))
    if not done.differences:
        click.echo("nothing to change")
    elif dry_run:
        click.echo("nothing was changed: this was a dry run")
    else:
        click.echo(
            f"this is version {done.version}: `dutyline config undo {done.version}` takes it back"
        )


def _refuse(errors: list[ConfigError], source: str) -> None:
    for error in errors:
        click.echo(f"{source}: {error}", err=True)
    if errors:
        raise Failed(f"nothing was changed: {len(errors)} error(s)")
