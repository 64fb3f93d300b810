"""Secrets at rest: sealed with Fernet, under keys that several processes share.

A key is any long random text. What Fernet and other users need is derived from it, each for a
purpose of its own, so that one setting serves them all.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_FILE = "secret.key"
SHORTEST = 32  # characters of a key


class SecretError(Exception):
    """A secret cannot be opened, or there is no key to seal it with; the message says why."""


class Vault:
    """Seals with the first of its keys and opens with any, so that keys can be changed."""

    def __init__(self, keys: Sequence[str]) -> None:
        """Raises SecretError without a key, or with one shorter than 32 characters."""
        if not keys:
            raise SecretError("there is no secret key")
        if any(len(key) < SHORTEST for key in keys):
            raise SecretError(f"a secret key is shorter than {SHORTEST} characters")
        self._keys = tuple(keys)
        self._fernet = MultiFernet([Fernet(_derived(key, "seal")) for key in keys])

    def seal(self, text: str) -> str:
        """Return the text encrypted and authenticated, in ASCII letters fit for a database."""
        return self._fernet.encrypt(text.encode()).decode("ascii")

    def open(self, sealed: str) -> str:
        """Return what `seal` was given. Raises SecretError for another key, or a changed text."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except (InvalidToken, UnicodeError):
            raise SecretError("a secret was sealed with another DUTYLINE_SECRET_KEY") from None

    def reseal(self, sealed: str) -> str:
        """Return the same secret sealed with the first key. Raises SecretError."""
        return self.seal(self.open(sealed))

    def derive(self, purpose: str) -> tuple[str, ...]:
        """Return a key for another purpose out of each of ours, the one in use first."""
        return tuple(_derived(key, purpose).decode("ascii") for key in self._keys)


def open_vault(keys: Sequence[str], folder: Path) -> Vault:
    """Return the vault of these keys; without any, of the key file in `folder`, made when missing.

    The file is readable by its owner alone. Raises SecretError.
    """
    return Vault(keys or (_key_in(folder / KEY_FILE),))


def _derived(key: str, purpose: str) -> bytes:
    """Return 32 bytes in URL-safe base 64, as Fernet wants a key."""
    made = HKDF(SHA256(), 32, salt=None, info=f"dutyline {purpose}".encode()).derive(key.encode())
    return base64.urlsafe_b64encode(made)


def _key_in(path: Path) -> str:
    try:
        if not path.exists():
            _make(path)
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        said = getattr(error, "strerror", None) or "it is no text"
        raise SecretError(f"the key file {path} cannot be used: {said}") from None


def _make(path: Path) -> None:
    """Write a fresh key; when two processes do so at once, the first one's counts for both."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
