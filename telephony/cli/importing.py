"""`dutyline import clients` and `dutyline import freepbx`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from telephony.cli.common import Failed, database, readable, settings_for
from telephony.configfile import COMMAND_LINE, change
from telephony.configfile.freepbx import NoExportError, bring
from telephony.importing import import_clients

_SHOWN_ERRORS = 50


@click.group("import")
def import_() -> None:
    """Bring data in from files."""


@import_.command("clients")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@readable
def clients(file: Path, dry_run: bool) -> None:
    """Import clients from a CSV FILE: all of it, or nothing when a line is wrong.

    Columns: name, phones, stage, manager, sales_manager, deputy, vip, notes, zone; see
    docs/clients-csv.md. A running listener follows within a second.
    """
    settings = settings_for(ami=False)
    with database(settings) as engine:
        report = import_clients(engine, file.read_bytes(), settings.country, dry_run=dry_run)
    for error in report.errors[:_SHOWN_ERRORS]:
        click.echo(f"{file.name}: {error}", err=True)
    if report.errors:
        hidden = len(report.errors) - _SHOWN_ERRORS
        more = f" ({hidden} more not shown)" if hidden > 0 else ""
        raise Failed(f"nothing was imported: {len(report.errors)} error(s){more}")
    verb = "would be " if dry_run else ""
    click.echo(
        f"clients: {report.added} {verb}added, {report.updated} {verb}updated, "
        f"{report.unchanged} unchanged; {report.numbers_removed} number(s) {verb}removed"
    )


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@import_.command("freepbx")
@click.option("--extensions", type=_FILE, help="CSV of Bulk Handler, Extensions.")
@click.option("--dids", type=_FILE, help="CSV of Bulk Handler, DIDs.")
@click.option("--queues", type=_FILE, help="Its queues_additional.conf.")
@click.option("--group", default="office", show_default=True, help="On duty for the other DIDs.")
@click.option("--zone", default="UTC", show_default=True, help="Time zone of groups that are made.")
@click.option("--apply", "apply_", is_flag=True, help="Do it; without it, only say what it would.")
@readable
def freepbx(
    extensions: Path | None,
    dids: Path | None,
    queues: Path | None,
    group: str,
    zone: str,
    apply_: bool,
) -> None:
    """Bring in extensions, DIDs and queues of FreePBX that are not set up yet.

    What is set up already stays as it is. See docs/freepbx.md; `dutyline config undo` takes it
    back.
    """
    if not (extensions or dids or queues):
        raise click.UsageError("name at least one of --extensions, --dids and --queues")
    settings = settings_for(ami=False)
    files = [one.read_bytes() if one else None for one in (extensions, dids, queues)]
    try:
        brought = bring(*files, group=group, zone=zone, country=settings.country)
    except NoExportError as error:
        raise Failed(str(error)) from None
    with database(settings) as engine:
        done = change(
            engine,
            COMMAND_LINE,
            brought.put,
            now=datetime.now(UTC),
            country=settings.country,
            dry_run=not apply_,
        )
    for words in brought.left_out:
        click.echo(f"left out: {words}", err=True)
    for wrong in done.errors[:_SHOWN_ERRORS]:
        click.echo(f"{wrong.path}: {wrong.value!r} {wrong.reason}", err=True)
    if done.errors:
        raise Failed(f"nothing was imported: {len(done.errors)} error(s)")
    for difference in done.differences:
        click.echo(str(difference))
    if not done.differences:
        click.echo("nothing new")
    elif not apply_:
        click.echo(f"{len(done.differences)} would be made; again with --apply to do it")
