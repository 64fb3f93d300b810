"""The proof of work that a browser does before it may ask for a call: made and verified by altcha.

A challenge is bound to its site by its signature, and to ten minutes by our own clock; that none
is used twice is for the database (`spend_proof`). The browser tries keys derived by PBKDF2 until
it meets the one whose number was drawn, so that the time it takes has a bound.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from altcha import Payload, create_challenge, verify_solution

from telephony.secrets import Vault

VALID = timedelta(minutes=10)

_ALGORITHM = "PBKDF2/SHA-256"
_COST = 2000  # rounds of each key
_FEWEST, _MOST = 150, 450  # keys to try: a second or so of a telephone
_SIGNING, _KEYS = "callback form", "callback form keys"


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof that holds: its nonce, and until when it could be used again if nobody kept it."""

    nonce: str
    until: datetime


def challenge(vault: Vault, site: str, now: datetime) -> dict[str, Any]:
    """Return a new challenge for a site."""
    made = create_challenge(
        _ALGORITHM,
        _COST,
        counter=_FEWEST + secrets.randbelow(_MOST - _FEWEST),
        data={"site": site, "until": int((now + VALID).timestamp())},
        hmac_secret=vault.derive(_SIGNING)[0],
        hmac_key_secret=vault.derive(_KEYS)[0],
    )
    found: dict[str, Any] = made.to_dict()
    return found


def verified(vault: Vault, text: str, site: str, now: datetime) -> Proof | None:
    """Return the proof that a text is, None when it is none for this site and moment."""
    try:
        payload = Payload.from_base64(text)
        parameters = payload.challenge.parameters
        data = parameters.data
        keys = zip(vault.derive(_SIGNING), vault.derive(_KEYS), strict=True)
        sound = isinstance(data, dict) and any(
            verify_solution(payload, one, hmac_key_secret=other).verified for one, other in keys
        )
        if not sound or not isinstance(data, dict) or data.get("site") != site:
            return None
        until = datetime.fromtimestamp(data["until"], UTC)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return None  # whatever a stranger may write instead
    return Proof(parameters.nonce, until) if now < until else None
