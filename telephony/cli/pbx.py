"""`dutyline pbx-config`: the files for a plain Asterisk or FreePBX, printed or written."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import click

from telephony.asterisk import freepbx
from telephony.asterisk.dialplan import dialplan
from telephony.asterisk.features import DEFAULT_CODES, FeatureCodes
from telephony.asterisk.lines import DialplanOptions, Fallback
from telephony.asterisk.manager import ManagerOptions, manager
from telephony.asterisk.queues import queues
from telephony.asterisk.voicemail import voicemail
from telephony.cli.common import Failed, known_setup, readable, settings_for
from telephony.cli.pbxagain import FILE, options_in, options_of, take_again, with_head
from telephony.domain.numbers import DIALLABLE, ENDPOINT

_CONTEXT = re.compile(r"[A-Za-z0-9_-]{1,79}")
_GOTO = re.compile(r"[A-Za-z0-9_-]{1,79},[A-Za-z0-9_*#-]{1,40},[0-9]{1,4}")
_PERMIT = re.compile(r"[0-9.]{7,15}/[0-9.]{1,15}")
_OWNER_AND_GROUP = 0o640

_QUEUES = "dutyline_queues.conf"
_NO_SETUP = (
    "The database cannot be read, so the groups' queues are not known: "
    "run `dutyline migrate`, then this again."
)

_NEXT = """\
; Next, on the PBX (docs/dialplan.md):
;   1. See that Asterisk may read the files, and others may not: they hold secrets.
;   2. Add to extensions.conf:   #include dutyline_extensions.conf
;      and at the end of manager.conf, behind [general]:   #include dutyline_manager.conf
;      and at the end of queues.conf, behind [general]:    #include dutyline_queues.conf
;      and at the end of voicemail.conf:   #include dutyline_voicemail.conf
;   3. Send your DIDs to dutyline-incoming, e.g. in the trunk's context:
;        exten => _XXXXXXXXXXX,1,Goto(dutyline-incoming,${EXTEN},1)
;   4. In pjsip.conf give every trunk:  allow_transfer=no  and  send_connected_line=no
;   5. In the context in which phones dial:   include => dutyline-features
;   6. asterisk -rx 'dialplan reload'; asterisk -rx 'manager reload';
;      asterisk -rx 'queue reload all'; asterisk -rx 'voicemail reload'
;   7. dutyline run; then dutyline doctor --trunk NAME
"""


def _fallback(_context: object, _parameter: object, text: str) -> Fallback:
    kind, _, value = text.partition(":")
    if kind == "endpoints":
        endpoints = value.split(",")
        if all(ENDPOINT.fullmatch(name) for name in endpoints):
            return Fallback(kind, "&".join(endpoints))
    elif (kind == "queue" and _CONTEXT.fullmatch(value)) or (
        kind == "goto" and _GOTO.fullmatch(value)
    ):
        return Fallback(kind, value)
    raise click.BadParameter("use queue:NAME, endpoints:101,102 or goto:CONTEXT,EXTENSION,PRIORITY")


def _version(_context: object, _parameter: object, text: str) -> tuple[int, int]:
    match = re.match(r"(\d+)\.(\d+)", text)
    if match is None or (int(match[1]), int(match[2])) < (16, 20):
        raise click.BadParameter("use Asterisk's version from 16.20 on, such as 22.10")
    return int(match[1]), int(match[2])


def _checked(pattern: re.Pattern[str], what: str) -> object:
    def check(_context: object, _parameter: object, text: str | None) -> str | None:
        if text is not None and not pattern.fullmatch(text):
            raise click.BadParameter(what)
        return text

    return check


@click.command("pbx-config")
@click.option(
    "--for",
    "pbx",
    type=click.Choice(["asterisk", "freepbx"]),
    default="asterisk",
    show_default=True,
    help="What the files are for.",
)
@click.option(
    "--fallback",
    required=True,
    callback=_fallback,
    help="Where calls go when Dutyline does not answer: queue:NAME (on FreePBX its number), "
    "endpoints:101,102 or goto:CONTEXT,EXTENSION,PRIORITY.",
)
@click.option(
    "--asterisk-version", required=True, callback=_version, help="Such as 22.10: `asterisk -V`."
)
@click.option(
    "--mobile-trunk",
    callback=_checked(ENDPOINT, "use the name of a PJSIP endpoint"),
    help="PJSIP endpoint through which mobiles are dialled.",
)
@click.option(
    "--mobile-context",
    callback=_checked(_CONTEXT, "use the name of a context"),
    help="Instead of a trunk: dial mobiles through the PBX's outbound routes (from-internal on "
    "FreePBX).",
)
@click.option(
    "--company-number",
    callback=_checked(DIALLABLE, "use digits, with a + at most in front"),
    help="Show this number on mobiles when the provider refuses the caller's.",
)
@click.option(
    "--mobile-plus/--mobile-digits",
    default=False,
    help="Dial mobiles as +79161110001 or, the default, as 79161110001.",
)
@click.option(
    "--internal-context",
    callback=_checked(_CONTEXT, "use the name of a context"),
    help="What operators may dial when they transfer a caller; on FreePBX from-internal-xfer "
    "unless you say otherwise.",
)
@click.option(
    "--screen/--no-screen",
    default=True,
    show_default=True,
    help="Ask whoever picks up a mobile to press 1, so that no voicemail takes a call.",
)
@click.option(
    "--prompts",
    type=click.Choice(["en", "ru"]),
    help="Language of the prompts; without it the PBX's own. Needs Asterisk's sounds for it.",
)
@click.option(
    "--lunch-code", default=DEFAULT_CODES.lunch, show_default=True, help="Begin a lunch break."
)
@click.option("--break-code", default=DEFAULT_CODES.rest, show_default=True, help="Begin a break.")
@click.option(
    "--offline-code", default=DEFAULT_CODES.offline, show_default=True, help="Take no calls."
)
@click.option(
    "--wrap-up-code",
    default=DEFAULT_CODES.wrap_up,
    show_default=True,
    help="Take no calls until the work after one is done.",
)
@click.option(
    "--back-code",
    default=DEFAULT_CODES.back,
    show_default=True,
    help="Take calls again; with an extension behind it, that extension's lamp.",
)
@click.option(
    "--closed-code",
    default=DEFAULT_CODES.closed,
    show_default=True,
    help="Switch “closed now”; with a DID behind it, for that DID.",
)
@click.option(
    "--permit",
    default="127.0.0.1/255.255.255.255",
    show_default=True,
    callback=_checked(_PERMIT, "use an address and a mask"),
    help="Where the listener logs in from.",
)
@click.option(
    "--write",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the files into this folder (such as /etc/asterisk) instead of printing them.",
)
@click.option(
    "--again",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    is_eager=True,
    expose_value=False,
    callback=take_again,
    help="Write the files of this folder anew, with the options that they were made with; others "
    "given besides count instead.",
)
@click.pass_context
@readable
def pbx_config(
    context: click.Context,
    pbx: str,
    fallback: Fallback,
    asterisk_version: tuple[int, int],
    mobile_trunk: str | None,
    mobile_context: str | None,
    company_number: str | None,
    mobile_plus: bool,
    internal_context: str | None,
    screen: bool,
    prompts: str | None,
    lunch_code: str,
    break_code: str,
    offline_code: str,
    wrap_up_code: str,
    back_code: str,
    closed_code: str,
    permit: str,
    write: Path | None,
) -> None:
    """Print or write what Dutyline adds to a PBX: its dialplan, manager user and queues."""
    made_by = options_of(context)
    if mobile_trunk and mobile_context:
        raise click.UsageError("use --mobile-trunk or --mobile-context, not both")
    settings = settings_for(ami=True)
    try:
        codes = FeatureCodes(
            lunch_code, break_code, offline_code, closed_code, back_code, wrap_up_code
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    setup = known_setup(settings)
    own = tuple(group.queue for group in setup.groups.values() if group.queue) if setup else ()
    options = DialplanOptions(
        token=settings.token,
        fallback=fallback,
        mobile_trunk=mobile_trunk,
        mobile_context=mobile_context,
        internal_context=internal_context,
        screen_mobiles=screen,
        company_number=company_number,
        mobile_plus=mobile_plus,
        language=prompts,
        codes=codes,
        queues=own,
        boxes=tuple(setup.mailboxes.values()) if setup else (),
        extensions=setup.renamed_desks if setup else (),
    )
    if pbx == "freepbx":
        options = freepbx.for_freepbx(options)
    files = {
        FILE: with_head(dialplan(options), made_by),
        "dutyline_manager.conf": manager(
            ManagerOptions(settings.ami_user, settings.ami_secret, asterisk_version, permit)
        ),
    }
    if setup is None:
        click.echo(_NO_SETUP, err=True)
    if setup is not None or write is None or not (write / _QUEUES).exists():
        files[_QUEUES] = queues(own)
    if setup is not None and pbx == "asterisk":
        files["dutyline_voicemail.conf"] = voicemail(setup.mailboxes.values(), settings.token)
    if write is None:
        for name, text in files.items():
            click.echo(f"; ---- {name}\n{text}")
    else:
        try:
            write.mkdir(parents=True, exist_ok=True)
            _warn_of_others(write / FILE, made_by)
            for name, text in files.items():
                _write(write / name, text, _OWNER_AND_GROUP)
                click.echo(f"wrote {write / name}")
            if pbx == "freepbx":
                _include(write)
        except OSError as error:
            raise Failed(f"{write} cannot be written: {error.strerror}") from None
    click.echo(freepbx.steps(written=write is not None) if pbx == "freepbx" else _NEXT, nl=False)


def _warn_of_others(path: Path, options: str) -> None:
    """Say so when a file was made with other options: one that is left out switches things off."""
    was = options_in(path.read_text(encoding="utf-8", errors="replace")) if path.exists() else None
    if was is not None and was != options:
        click.echo(f"{path} was made with other options: {was}", err=True)


def _include(folder: Path) -> None:
    """Bring our files in from the files that FreePBX leaves to the admin. Raises OSError."""
    for name, line in freepbx.INCLUDES.items():
        path = folder / name
        was = path.read_bytes().decode("utf-8", "surrogateescape") if path.exists() else ""
        text = freepbx.with_line(was, line)
        if text == was:
            click.echo(f"{path} includes it already")
        else:
            mode = stat.S_IMODE(path.stat().st_mode) if path.exists() else _OWNER_AND_GROUP
            _write(path, text, mode)
            click.echo(f"added to {path}: {line}")


def _write(path: Path, text: str, mode: int) -> None:
    """Replace a file as a whole; others may not read those of ours, which hold secrets."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as out:
        os.fchmod(out.fileno(), mode)  # whatever the umask is
        out.write(text.encode("utf-8", "surrogateescape"))
    # The PBX must read what it includes: the owner is that of the old file, or of the folder.
    owner = (path if path.exists() else path.parent).stat()
    try:
        if (os.geteuid(), os.getegid()) != (owner.st_uid, owner.st_gid):
            os.chown(new, owner.st_uid, owner.st_gid)
    except OSError:
        new.unlink()
        raise
    new.replace(path)
