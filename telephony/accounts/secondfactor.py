"""The second factor: codes of an authenticator app (TOTP), and recovery codes on paper."""

from __future__ import annotations

import hmac
import re
import secrets
from datetime import datetime

import pyotp
from sqlalchemy.orm import Session

from telephony.accounts.passwords import digest
from telephony.secrets import Vault
from telephony.store.accounts import User, take_recovery_code, take_totp_step

ISSUER = "Dutyline"
RECOVERY_CODES = 10

_STEP = 30  # seconds, as every app has it
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"


def new_secret() -> str:
    """Return a fresh secret in base 32."""
    return pyotp.random_base32()


def setup_uri(secret: str, login: str) -> str:
    """Return what the QR code says to an authenticator app."""
    return pyotp.TOTP(secret).provisioning_uri(name=login, issuer_name=ISSUER)


def matching_step(secret: str, code: str, now: datetime) -> int | None:
    """Return the time step whose code this is: the present one or a neighbour; else None."""
    digits = re.sub(r"\s", "", code)
    if not re.fullmatch(r"[0-9]{6}", digits):
        return None
    totp = pyotp.TOTP(secret)
    present = int(now.timestamp()) // _STEP
    for step in (present, present - 1, present + 1):
        if hmac.compare_digest(totp.generate_otp(step), digits):
            return step
    return None


def code_fits(session: Session, vault: Vault, user: User, code: str, now: datetime) -> bool:
    """Return whether a code is right, and use it up: neither kind is taken twice."""
    if user.totp_secret is None:
        return False
    step = matching_step(vault.open(user.totp_secret), code, now)
    if step is not None:
        return take_totp_step(session, user.id, step)
    return take_recovery_code(session, user.id, recovery_digest(code))


def new_recovery_codes() -> list[str]:
    """Return ten codes such as abcde-fghjk, each good for one sign-in."""
    return [
        "-".join("".join(secrets.choice(_LETTERS) for _ in range(5)) for _ in range(2))
        for _ in range(RECOVERY_CODES)
    ]


def recovery_digest(code: str) -> str:
    """Return the hash of a recovery code, however it was typed."""
    return digest("recovery " + re.sub(r"[\s-]", "", code).casefold())
