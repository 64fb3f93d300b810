"""`dutyline migrate`."""

from __future__ import annotations

import click

from telephony.cli.common import readable, settings_for
from telephony.store.migrations import migrate as apply_migrations


@click.command()
@readable
def migrate() -> None:
    """Create the database's tables, or bring them up to date."""
    done = apply_migrations(settings_for(ami=False).database_url)
    for name in done:
        click.echo(f"applied {name}")
    if not done:
        click.echo("the database is up to date")
