"""A wrong setting names itself and what it may be; secrets are never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from telephony.settings import SETTINGS, SettingsError, read_settings

GOOD = {"DUTYLINE_AMI_SECRET": "a-long-secret", "DUTYLINE_TOKEN": "0123456789abcdef"}


def test_defaults_are_enough_with_the_two_secrets() -> None:
    settings = read_settings(GOOD)
    assert (settings.ami_host, settings.ami_port, settings.country) == ("127.0.0.1", 5038, "RU")
    assert settings.spill == Path("spill.jsonl")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DUTYLINE_AMI_PORT", "abc"),
        ("DUTYLINE_AMI_PORT", "0"),
        ("DUTYLINE_AMI_PORT", "70000"),
        ("DUTYLINE_DATABASE_URL", "mysql://x"),
        ("DUTYLINE_AMI_HOST", "a b"),
        ("DUTYLINE_AMI_USER", "a,b"),
        ("DUTYLINE_COUNTRY", "XX"),
        ("DUTYLINE_LANGUAGE", "de"),
        ("DUTYLINE_LOG_LEVEL", "loud"),
        ("DUTYLINE_LOG_FORMAT", "xml"),
        ("DUTYLINE_AMI_SECRET", "with space in"),
        ("DUTYLINE_AMI_SECRET", "semi;colon;secret"),
        ("DUTYLINE_TOKEN", "short"),
        ("DUTYLINE_TOKEN", "0123456789abcdef,X: y"),
    ],
)
def test_a_wrong_setting_names_itself_and_what_it_may_be(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({**GOOD, name: value})
    setting = next(item for item in SETTINGS if item.name == name)
    assert str(caught.value).startswith(name)
    assert setting.may_be in str(caught.value)
    assert (value in str(caught.value)) is not setting.secret


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({"DUTYLINE_AMI_PORT": "x", "DUTYLINE_TOKN": "y"})
    lines = str(caught.value).splitlines()
    assert [line.split(" ")[0] for line in lines] == [
        "DUTYLINE_AMI_PORT",
        "DUTYLINE_AMI_SECRET",
        "DUTYLINE_TOKEN",
        "DUTYLINE_TOKN",
    ]


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("from-a-file-secret\n")
    environ = {"DUTYLINE_TOKEN": GOOD["DUTYLINE_TOKEN"], "DUTYLINE_AMI_SECRET_FILE": str(file)}
    assert read_settings(environ).ami_secret == "from-a-file-secret"
    with pytest.raises(SettingsError, match="DUTYLINE_AMI_SECRET_FILE: cannot be read: No such"):
        read_settings({**environ, "DUTYLINE_AMI_SECRET_FILE": str(tmp_path / "missing")})


def test_a_command_without_asterisk_needs_no_secrets() -> None:
    assert read_settings({}, without=frozenset({"ami_secret", "token"})).token == ""
