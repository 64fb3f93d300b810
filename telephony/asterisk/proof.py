"""What shows that the PBX's files were made of the set-up as it is now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from telephony.asterisk.queues import queues
from telephony.domain.queueing import QueueSettings
from telephony.domain.setup import Mailbox


def proof_of(
    own: Iterable[QueueSettings],
    extensions: Iterable[tuple[str, str]] = (),
    mailboxes: Iterable[Mailbox] | None = (),
) -> str:
    """Return the name of the extension that shows what a dialplan was made with.

    `own` are the groups' queues, `extensions` (endpoint, extension) where these differ; `mailboxes`
    is None on FreePBX, which has its own.
    """
    parts = [
        queues(own),
        *(f"{endpoint}={extension}" for endpoint, extension in sorted(extensions)),
        *([] if mailboxes is None else sorted(map(repr, mailboxes))),
        "freepbx" if mailboxes is None else "asterisk",
    ]
    return "settings-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
