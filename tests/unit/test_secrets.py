"""Secrets at rest: sealed and opened, keys changed, the key file."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from telephony.secrets import KEY_FILE, SecretError, Vault, open_vault

OLD = "an-old-key-0123456789-0123456789-abc"
NEW = "a-new-key-0123456789-0123456789-abcd"


def test_what_was_sealed_opens_and_does_not_show() -> None:
    vault = Vault([OLD])
    sealed = vault.seal("пароль whsec_1")
    assert vault.open(sealed) == "пароль whsec_1"
    assert "whsec_1" not in sealed
    assert sealed.isascii()
    assert vault.seal("пароль whsec_1") != sealed


def test_keys_are_changed_by_putting_the_new_one_first() -> None:
    sealed = Vault([OLD]).seal("secret")
    both = Vault([NEW, OLD])
    assert both.open(sealed) == "secret"
    again = both.reseal(sealed)
    assert Vault([NEW]).open(again) == "secret"
    with pytest.raises(SecretError, match="another DUTYLINE_SECRET_KEY"):
        Vault([NEW]).open(sealed)


@pytest.mark.parametrize("sealed", ["", "plain", "ключ", "gAAAAA=="])
def test_what_was_never_sealed_is_refused(sealed: str) -> None:
    with pytest.raises(SecretError):
        Vault([OLD]).open(sealed)


def test_a_changed_text_is_refused() -> None:
    sealed = Vault([OLD]).seal("secret")
    middle = len(sealed) // 2
    other = "A" if sealed[middle] != "A" else "B"
    with pytest.raises(SecretError):
        Vault([OLD]).open(sealed[:middle] + other + sealed[middle + 1 :])


def test_keys_that_are_none() -> None:
    with pytest.raises(SecretError, match="no secret key"):
        Vault([])
    with pytest.raises(SecretError, match="shorter than 32"):
        Vault([OLD, "short"])


def test_keys_for_other_purposes_differ() -> None:
    vault = Vault([NEW, OLD])
    first, second = vault.derive("session")
    assert len({first, second, *vault.derive("mail"), NEW, OLD}) == 6
    assert Vault([NEW]).derive("session") == (first,)


def test_the_key_file_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    sealed = open_vault((), folder).seal("secret")
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in folder.iterdir()] == [KEY_FILE]
    assert open_vault((), folder).open(sealed) == "secret"
    with pytest.raises(SecretError):
        open_vault((OLD,), folder).open(sealed)


def test_processes_that_start_at_once_share_one_key(tmp_path: Path) -> None:
    gate = threading.Barrier(8)
    sealed: list[str] = []

    def start() -> None:
        gate.wait(10)
        sealed.append(open_vault((), tmp_path).seal("secret"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert [open_vault((), tmp_path).open(one) for one in sealed] == ["secret"] * 8


def test_a_key_file_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).mkdir()
    with pytest.raises(SecretError, match=r"secret\.key cannot be used: Is a directory"):
        open_vault((), tmp_path)
