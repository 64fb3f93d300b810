"""`dutyline import clients`."""

from __future__ import annotations

from pathlib import Path

import click

from telephony.cli.common import Failed, database, readable, settings_for
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

    Columns: name, phones, stage, manager, sales_manager, deputy, vip, notes; see
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
