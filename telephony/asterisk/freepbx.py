"""What is different on FreePBX: where the files are included, what its names mean.

FreePBX writes most files of /etc/asterisk itself and anew at each “Apply Config”; it never
touches those that end in _custom.conf. So ours are included from there.
"""

from __future__ import annotations

from dataclasses import replace

from telephony.ami.names import INCOMING
from telephony.asterisk.lines import DialplanOptions, Fallback

# What an admin enters in Admin → Custom Destinations.
DESTINATION = f"{INCOMING},s,1"
# What extensions may dial, feature codes and outbound routes among it, except “bad number”.
TRANSFER_CONTEXT = "from-internal-xfer"
# FreePBX writes voicemail.conf itself: mailboxes are those of its extensions.
# Files of the admin, each with the line that brings ours in.
INCLUDES = {
    "extensions_custom.conf": "#include dutyline_extensions.conf",
    "manager_custom.conf": "#include dutyline_manager.conf",
    "queues_custom.conf": "#include dutyline_queues.conf",
}


def for_freepbx(options: DialplanOptions) -> DialplanOptions:
    """Return the options with what FreePBX wants where the admin has not chosen otherwise."""
    return replace(
        options,
        fallback=_fallback(options.fallback),
        internal_context=options.internal_context or TRANSFER_CONTEXT,
        freepbx=True,
        mailboxes="default",
    )


def _fallback(chosen: Fallback) -> Fallback:
    """Return a queue as FreePBX enters it, with its announcements, timeouts and destinations."""
    if chosen.kind == "queue":
        return Fallback("goto", f"ext-queues,{chosen.value},1")
    return chosen


def with_line(text: str, line: str) -> str:
    """Return the text of a file with a line at its end; unchanged when it is there already."""
    if line in (known.strip() for known in text.splitlines()):
        return text
    if text and not text.endswith("\n"):
        text += "\n"
    return f"{text}{line}\n"


def steps(*, written: bool) -> str:
    """Return what the admin does next, as comments. `written`: the includes are there already."""
    lines = "".join(f";        {name}:  {line}\n" for name, line in INCLUDES.items())
    include = (
        "The files are included from the *_custom.conf files."
        if written
        else f"Put the files into /etc/asterisk, and a line at the end of\n{lines.rstrip()}"
    )
    return f"""\
; Next, on FreePBX (docs/freepbx.md):
;   1. {include}
;      fwconsole chown
;   2. Admin → Custom Destinations → Add Destination:
;        Target: {DESTINATION}    Description: Dutyline    Return: No
;   3. Connectivity → Inbound Routes, each DID of Dutyline:
;        DID Number: digits only    Set Destination: Custom Destinations, Dutyline
;   4. pjsip.endpoint_custom_post.conf, for every trunk:
;        [TRUNK](+)
;        allow_transfer=no
;        send_connected_line=no
;   5. Apply Config (the red button), or: fwconsole reload
;   6. dutyline run; then dutyline doctor --trunk TRUNK
"""
