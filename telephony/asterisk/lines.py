"""What the parts of the dialplan share: what an admin decides, and lines they have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from telephony.ami import names
from telephony.asterisk.features import DEFAULT_CODES, FeatureCodes
from telephony.domain.queueing import QueueSettings
from telephony.domain.setup import Mailbox

# Asterisk substitutes variables into about 4 KB; contacts beyond this are not added to a Dial.
_LONGEST_DIAL = 3000


@dataclass(frozen=True, slots=True)
class Fallback:
    """Where callers go when nobody answers for Dutyline.

    `kind` is `endpoints` (value: names joined by `&`), `queue` (value: its name) or `goto`
    (value: context,extension,priority).
    """

    kind: str
    value: str
    seconds: int = 60


@dataclass(frozen=True, slots=True)
class DialplanOptions:
    """What an admin decides about the dialplan.

    `token` travels in every UserEvent and proves that our dialplan sent it. `mobile_trunk` is the
    PJSIP endpoint that mobiles are dialled through, None for none; `mobile_context` dials them
    through the PBX's own outbound routes instead. `internal_context` is where an
    operator's transfer to anything but a registered extension goes. `company_number` is shown on
    mobiles instead of the caller's, for providers that refuse a foreign number. `mobile_plus` keeps
    the + in front of a mobile's number; most providers take digits. `language` is that of the
    prompts people at a mobile hear, None for the PBX's own. `freepbx` respects FreePBX's “do not
    disturb” of an extension. `queues` are the groups' own; `extensions` are (endpoint, extension)
    of operators whose endpoint has another name. `mailboxes` is the context of voicemail.conf,
    `boxes` are the ones that are written into it.
    """

    token: str
    fallback: Fallback
    mobile_trunk: str | None = None
    internal_context: str | None = None
    screen_mobiles: bool = True
    company_number: str | None = None
    mobile_plus: bool = False
    language: str | None = None
    mobile_context: str | None = None
    freepbx: bool = False
    codes: FeatureCodes = DEFAULT_CODES
    queues: tuple[QueueSettings, ...] = ()
    extensions: tuple[tuple[str, str], ...] = ()
    mailboxes: str = names.MAILBOXES
    boxes: tuple[Mailbox, ...] = ()


def disturbs_not(extension: str) -> str:
    """Return the expression that is true when FreePBX's *78 was dialled at an extension."""
    return f"$[${{LEN(${{DB(DND/{extension})}})}} > 0]"


def append_contacts(then: str) -> Iterator[str]:
    """Yield the lines that add DL_CONTACTS, if any and if it fits, to DL_DIAL."""
    dial, contacts = "${LEN(${DL_DIAL})}", "${LEN(${DL_CONTACTS})}"
    yield f" same => n,GotoIf($[{contacts} = 0 | {dial} + {contacts} > {_LONGEST_DIAL}]?{then})"
    yield f" same => n,Set(DL_DIAL=${{DL_DIAL}}${{IF($[{dial} > 0]?&)}}${{DL_CONTACTS}})"
