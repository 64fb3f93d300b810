"""`dutyline healthcheck`: is a part well? For containers and monitoring; the exit code tells."""

from __future__ import annotations

import http.client
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from telephony.cli.common import Failed, database, readable, settings_for
from telephony.settings import Settings
from telephony.store.engine import reading
from telephony.store.live import list_processes

WEB = "web"
# Those that tell of themselves in the database.
TOLD = ("listener", "relay", "worker-now", "worker-bulk")
_SECONDS = 3.0


@click.command()
@click.argument("parts", nargs=-1, required=True, type=click.Choice([*TOLD, WEB]))
@readable
def healthcheck(parts: tuple[str, ...]) -> None:
    """Say whether parts of Dutyline run and are ready; exit code 1 when one is not.

    The panel (web) is asked on this machine, the others by what they last told in the database.
    """
    settings = settings_for(ami=False)
    problems = []
    if WEB in parts and (problem := _of_web(settings)):
        problems.append(f"{WEB}: {problem}")
    if told := [part for part in parts if part != WEB]:
        problems += told_problems(settings, told)
    if problems:
        raise Failed("\n".join(problems))
    click.echo("✓ " + ", ".join(parts))


def _of_web(settings: Settings) -> str | None:
    """Return what is wrong with the panel, None when nothing is."""
    host = settings.web_host
    connection = http.client.HTTPConnection(
        {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host),  # noqa: S104
        settings.web_port,
        timeout=_SECONDS,
    )
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"does not answer: {error}"
    finally:
        connection.close()
    return None if status == http.client.OK else f"answers with status {status}"


def told_problems(settings: Settings, parts: Sequence[str]) -> list[str]:
    """Return what is wrong with parts by what they told. Raises StoreError, Failed."""
    with database(settings) as engine, reading(engine) as session:
        known = {process.name: process for process in list_processes(session)}
    now = datetime.now(UTC)
    problems = []
    for part in parts:
        process = known.get(part)
        if process is None:
            problems.append(f"{part}: has never run")
        elif not process.is_alive(now):
            age = round((now - process.renewed_at).total_seconds())
            problems.append(f"{part}: has told nothing for {age} s")
        elif not process.ready:
            problems.append(f"{part}: is not ready: {process.problem or 'it does not say why'}")
    return problems
