"""Passwords as Argon2 hashes, and secrets of our own making as SHA-256."""

from __future__ import annotations

import hashlib
import secrets
import threading
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

SHORTEST = 10
LONGEST = 200

# Each hash takes 64 MB for a moment: a flood of sign-ins must not take the machine's memory.
_AT_ONCE = 4


class Passwords:
    """Hashes and checks passwords; safe for threads."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._room = threading.BoundedSemaphore(_AT_ONCE)
        # Checked in place of a missing user's, so that both answers take the same time.
        self._nobody = self.hash(secrets.token_urlsafe())

    def hash(self, password: str) -> str:
        """Return the hash to keep."""
        with self._room:
            return self._hasher.hash(_normal(password))

    def fits(self, password: str, kept: str | None) -> bool:
        """Return whether the password is that of the hash; False, as slowly, for None."""
        with self._room:
            try:
                right = self._hasher.verify(kept or self._nobody, _normal(password))
            except (VerificationError, InvalidHashError):
                return False
        return right and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Return whether a hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(kept)


def fold_login(login: str) -> str:
    """Return a login as it is kept and compared: without case and odd forms of letters."""
    return unicodedata.normalize("NFKC", login).strip().casefold()


def digest(secret: str) -> str:
    """Return the hash of a long random secret; none of them could be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def new_password() -> str:
    """Return a password for a person to type: 20 letters and digits in groups, about 100 bits."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"
    groups = ("".join(secrets.choice(letters) for _ in range(5)) for _ in range(4))
    return "-".join(groups)


def _normal(password: str) -> str:
    return unicodedata.normalize("NFC", password)
