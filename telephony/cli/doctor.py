"""`dutyline doctor`: looks at everything a call needs; each failure says what to do."""

from __future__ import annotations

import sys
import time
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

import click
from sqlalchemy import Engine

from telephony.ami import actions, names
from telephony.ami.actions import Fields
from telephony.ami.client import AmiError, LoginRefused
from telephony.ami.oneshot import OneShot
from telephony.ami.oneshot import session as ami_session
from telephony.asterisk.manager import has_criteria
from telephony.asterisk.queues import CALLBACK_KEY
from telephony.cli.common import ami_address, dialler_address, readable, settings_for
from telephony.cli.diallercheck import check_dialler
from telephony.cli.findings import Finding, Level, failed, ok, warning
from telephony.cli.partcheck import check_key, check_parts, check_redis
from telephony.cli.queuecheck import check_queues
from telephony.domain.numbers import ENDPOINT
from telephony.settings import Settings
from telephony.store.engine import StoreError, open_engine, reading
from telephony.store.migrations import pending
from telephony.store.setup import load_setup

MODULES = (
    "app_waitforcond",
    "app_exec",
    "app_dial",
    "app_userevent",
    "app_read",
    "app_stack",
    "func_strings",
    "func_cut",
    "func_logic",
    "func_channel",
    "func_callerid",
    "func_global",
    "func_dialplan",
    "func_pjsip_contact",
    "func_pjsip_endpoint",
    "func_devstate",
    "app_playback",
    "res_manager_devicestate",
)
_MAX_OFFSET_SECONDS = 5.0
# An extension of each context that must be there.
_ENTRY = {names.TRANSFER: "elsewhere", names.QUEUE_KEYS: CALLBACK_KEY, names.FEATURES: "set"}
_ENTRIES = tuple((context, _ENTRY.get(context, "s")) for context in names.CONTEXTS)


@click.command()
@click.option("--trunk", "trunks", multiple=True, help="PJSIP endpoint of a trunk to look at.")
@readable
def doctor(trunks: tuple[str, ...]) -> None:
    """Check Asterisk, the dialplan, the database, Redis, the other parts and the clock.

    Says what to do about each failure.
    """
    settings = settings_for(ami=True)
    findings = [
        *check_database(settings),
        *check_folder(settings),
        *check_key(settings),
        *check_redis(settings),
        *check_parts(settings),
        *check_pbx_logs(settings),
        *check_asterisk(settings, trunks),
    ]
    marks = {Level.OK: "✓", Level.WARNING: "!", Level.FAILED: "✗"}
    colours = {Level.OK: "green", Level.WARNING: "yellow", Level.FAILED: "red"}
    for finding in findings:
        click.echo(
            click.style(marks[finding.level], fg=colours[finding.level]) + f" {finding.what}"
        )
        if finding.advice:
            click.echo(f"    → {finding.advice}")
    bad = sum(finding.level is Level.FAILED for finding in findings)
    if bad:
        click.echo(f"{bad} of {len(findings)} checks failed")
        sys.exit(1)
    click.echo("calls can be taken")


def check_database(settings: Settings) -> Iterator[Finding]:
    """Is there a database, at the right migration, with something set up?"""
    try:
        missing = pending(settings.database_url)
        if missing:
            yield failed(
                f"the database is behind by {', '.join(missing)}", "run `dutyline migrate`"
            )
            return
        engine = open_engine(settings.database_url)
    except StoreError as error:
        yield failed(str(error), "check DUTYLINE_DATABASE_URL and that the server runs")
        return
    try:
        yield ok(f"database {engine.dialect.name}, migrations applied")
        yield from _check_setup(engine)
    finally:
        engine.dispose()


def _check_setup(engine: Engine) -> Iterator[Finding]:
    with reading(engine) as session:
        setup = load_setup(session)
    if not setup.operators:
        yield failed("no operators are set up", "run `dutyline config apply FILE.yaml`")
    else:
        yield ok(
            f"{len(setup.operators)} operator(s), {len(setup.groups)} group(s), "
            f"{len(setup.dids)} DID(s)"
        )
    if setup.default_group is None:
        yield warning(
            "no group is the default", "calls on a DID that is not set up go to the fallback"
        )
    zones = sorted({group.roster.zone for group in setup.groups.values()})
    if zones:
        known = zoneinfo.available_timezones()
        unknown = [name for name in zones if name not in known]
        if unknown:
            yield failed(
                f"this machine does not know the time zone {', '.join(unknown)}",
                "update the package tzdata",
            )
        else:
            yield ok(f"time zones of the groups: {', '.join(zones)}")


def check_folder(settings: Settings) -> Iterator[Finding]:
    """Can records be spilled when the database fails?"""
    probe = settings.data_dir / ".doctor"
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        yield failed(
            f"DUTYLINE_DATA_DIR {settings.data_dir} cannot be written: {error.strerror}",
            "give this user the folder, or choose another",
        )
        return
    waiting = settings.spill
    if waiting.exists() and waiting.stat().st_size:
        yield warning(
            f"records wait in {waiting}", "they are written when the listener reaches the database"
        )
    else:
        yield ok(f"data folder {Path(settings.data_dir).resolve()} can be written")


def check_pbx_logs(settings: Settings) -> Iterator[Finding]:
    """Can the PBX's own records be read, for calls that end while nobody listens?"""
    logs = (("DUTYLINE_QUEUE_LOG", settings.queue_log), ("DUTYLINE_CDR_FILE", settings.cdr_file))
    for name, path in logs:
        if path is None:
            continue
        try:
            with path.open("rb"):
                yield ok(f"{name} {path} can be read")
        except OSError as error:
            if isinstance(error, FileNotFoundError) and path.parent.is_dir():
                # Asterisk makes these files with the first line it has to write.
                yield warning(
                    f"{name} {path} is not there",
                    "Asterisk makes it with the first call; "
                    "if there were calls, correct the setting",
                )
                continue
            yield failed(
                f"{name} {path} cannot be read: {error.strerror}",
                "let this user read it, for example with setfacl; or leave the setting empty",
            )


def check_asterisk(settings: Settings, trunks: tuple[str, ...]) -> Iterator[Finding]:
    """Is Asterisk there, with our user, dialplan, modules, trunks and heartbeat?"""
    where = f"{settings.ami_host}:{settings.ami_port}"
    try:
        with ami_session(ami_address(settings)) as pbx:
            yield ok(f"logged in to Asterisk at {where} as {settings.ami_user}")
            yield from _check_version(pbx)
            yield from _check_privileges(pbx)
            yield from _check_modules(pbx)
            yield from _check_dialplan(pbx, settings.token)
            yield from check_queues(pbx, settings)
            yield from _check_trunks(pbx, trunks)
            yield from _check_heartbeat(pbx)
        yield from check_dialler(dialler_address(settings))
    except LoginRefused as error:
        yield failed(
            f"Asterisk refused user {settings.ami_user} ({error})",
            "compare DUTYLINE_AMI_USER and DUTYLINE_AMI_SECRET with dutyline_manager.conf, "
            "then `asterisk -rx 'manager reload'`",
        )
    except AmiError as error:
        yield failed(
            str(error),
            "check DUTYLINE_AMI_HOST and DUTYLINE_AMI_PORT, and `enabled = yes` in manager.conf",
        )


def _check_version(pbx: OneShot) -> Iterator[Finding]:
    version = pbx.ask(actions.core_settings()).get("asteriskversion", "")
    head = version.split("~")[0].split("+")[0].split("-")[-1].split(".")
    if len(head) < 2 or not (head[0].isdigit() and head[1].isdigit()):
        yield warning(f"Asterisk's version is {version!r}", "Dutyline is tested with Asterisk 22")
        return
    number = (int(head[0]), int(head[1]))
    if number < (16, 20):
        yield failed(f"Asterisk {version} is too old", "use 16.20 or newer, best 22")
    elif not has_criteria(number):
        yield warning(
            f"Asterisk {version} has only old event filters",
            "forged events are refused by Dutyline alone; 18.26, 20.11, 21.6 and 22.1 filter them",
        )
    else:
        yield ok(f"Asterisk {version}")


def _check_privileges(pbx: OneShot) -> Iterator[Finding]:
    beat = pbx.ask(actions.read_global("EPOCH"))
    if beat["response"] != "Success":
        yield failed(
            f"the user may not read variables ({beat.get('message', '')})",
            "it needs write = call,reporting: run `dutyline pbx-config` again",
        )
        return
    too_much = [
        what
        for what, probe in actions.FORBIDDEN_PROBES.items()
        if "permission denied" not in pbx.ask(probe).get("message", "").lower()
    ]
    if too_much:
        yield warning(
            f"the user may {' and '.join(too_much)}",
            "it can do more than it needs: run `dutyline pbx-config` again",
        )
    else:
        yield ok("the user may do what it needs, and neither run commands nor place calls")


def _value(pbx: OneShot, fields: Fields) -> str:
    return pbx.ask(fields).get("value", "")


def _check_modules(pbx: OneShot) -> Iterator[Finding]:
    missing = [
        name for name in MODULES if _value(pbx, actions.read_global(f"IFMODULE({name}.so)")) != "1"
    ]
    if not missing:
        yield ok(f"{len(MODULES)} modules are loaded")
        return
    if len(missing) == len(MODULES):
        yield warning(
            "modules cannot be looked at: func_module is not loaded",
            "asterisk -rx 'module load func_module.so'",
        )
        return
    if missing == ["app_waitforcond"]:
        yield warning(
            "app_waitforcond is not loaded: each call is answered some 10 ms later",
            "asterisk -rx 'module load app_waitforcond.so'",
        )
        return
    yield failed(
        f"not loaded: {', '.join(missing)}",
        f"asterisk -rx 'module load {missing[0]}.so', and see modules.conf",
    )


def _check_dialplan(pbx: OneShot, token: str) -> Iterator[Finding]:
    missing = [
        context
        for context, extension in _ENTRIES
        if _value(pbx, actions.read_global(f"DIALPLAN_EXISTS({context},{extension},1)")) != "1"
    ]
    if missing and set(missing) <= set(names.ORDER_CONTEXTS):
        yield failed(
            f"not in the dialplan, so nobody is called back: {', '.join(missing)}",
            "run `dutyline pbx-config --again` with the files' folder, "
            "then `asterisk -rx 'dialplan reload'`",
        )
        return
    if missing:
        yield failed(
            f"not in the dialplan: {', '.join(missing)}",
            "run `dutyline pbx-config --write`, #include the file in extensions.conf, "
            "then `asterisk -rx 'dialplan reload'`",
        )
        return
    proof = f"DIALPLAN_EXISTS({names.ROUTE},{names.proof_of(token)},1)"
    if _value(pbx, actions.read_global(proof)) != "1":
        yield failed(
            "the dialplan was made with another DUTYLINE_TOKEN: no call of it is believed",
            "run `dutyline pbx-config --write` again, then `asterisk -rx 'dialplan reload'`",
        )
    else:
        yield ok("the dialplan is loaded, made with this DUTYLINE_TOKEN")


def _check_trunks(pbx: OneShot, trunks: tuple[str, ...]) -> Iterator[Finding]:
    if not trunks:
        yield warning("no trunk was looked at", "name each: `dutyline doctor --trunk NAME`")
    for trunk in trunks:
        if not ENDPOINT.fullmatch(trunk):
            yield failed(f"{trunk!r} is not the name of an endpoint", "see `pjsip show endpoints`")
            continue
        answers = {
            option: _value(pbx, actions.read_global(f"PJSIP_ENDPOINT({trunk},{option})"))
            for option in ("allow_transfer", "send_connected_line")
        }
        if not any(answers.values()):
            yield failed(f"trunk {trunk} does not exist", "see `pjsip show endpoints`")
            continue
        if answers["allow_transfer"] not in ("no", "false"):
            yield failed(
                f"trunk {trunk}: callers can transfer calls at your cost",
                f"set allow_transfer = no for [{trunk}] in pjsip.conf",
            )
        elif answers["send_connected_line"] not in ("no", "false"):
            yield warning(
                f"trunk {trunk}: connected-line updates are sent",
                f"set send_connected_line = no for [{trunk}]: stray re-INVITEs fail calls",
            )
        else:
            yield ok(f"trunk {trunk} refuses callers' transfers")


def _check_heartbeat(pbx: OneShot) -> Iterator[Finding]:
    clock = _value(pbx, actions.read_global("EPOCH"))
    now = time.time()
    if not clock.isdigit():
        yield failed("Asterisk does not tell its clock", "see the privileges above")
        return
    offset = int(clock) - now
    if abs(offset) > _MAX_OFFSET_SECONDS:
        yield warning(
            f"the PBX's clock is {offset:+.0f} s off this machine's",
            "run NTP on both: shifts follow the PBX's time stamps",
        )
    else:
        yield ok("the clocks agree")
    beat = _value(pbx, actions.read_global(names.HEARTBEAT))
    age = int(clock) - int(beat) if beat.isdigit() else None
    if age is None or age > names.HEARTBEAT_STALE_SECONDS:
        yield failed(
            "the listener's heartbeat is missing or stale: calls go to the fallback",
            "start `dutyline run`",
        )
    else:
        yield ok(f"the listener's heartbeat is {age} s old")
