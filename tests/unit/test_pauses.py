"""Pauses and other switches, read from device states."""

import pytest

from telephony.domain.pauses import (
    STATE_OF,
    SWITCH,
    SWITCH_STATES,
    PauseKind,
    closed_device,
    closed_now,
    do_not_disturb,
    forwarded,
    pause_device,
    pause_of,
    paused_extension,
)


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("BUSY", PauseKind.LUNCH),
        ("ONHOLD", PauseKind.BREAK),
        ("INUSE", PauseKind.OFFLINE),
        ("RINGINUSE", PauseKind.WRAP_UP),
        ("NOT_INUSE", None),
        ("UNKNOWN", None),
        ("INVALID", None),
        ("RINGING", None),
    ],
)
def test_a_pause_is_what_its_switch_says(state: str, kind: PauseKind | None) -> None:
    assert pause_of({"Custom:dutyline-pause-101": state}, "101") is kind


def test_nobody_pauses_for_somebody_else() -> None:
    devices = {pause_device("101"): STATE_OF[PauseKind.LUNCH], "PJSIP/102": "BUSY"}
    assert pause_of(devices, "102") is None
    assert pause_of(devices, "10") is None
    assert pause_of({}, "101") is None


@pytest.mark.parametrize(
    ("devices", "closed"),
    [
        ({}, False),
        ({"Custom:dutyline-closed": "NOT_INUSE"}, False),
        ({"Custom:dutyline-closed": "UNKNOWN"}, False),
        ({"Custom:dutyline-closed": "INUSE"}, True),
        ({"Custom:dutyline-closed-74951234567": "INUSE"}, True),
        ({"Custom:dutyline-closed-7495123456": "INUSE"}, False),
        ({"Custom:dutyline-closed-74951234567": "NOT_INUSE"}, False),
    ],
)
def test_closed_by_hand(devices: dict[str, str], closed: bool) -> None:
    assert closed_now(devices, "74951234567") is closed


def test_what_freepbx_says_of_an_extension() -> None:
    devices = {"Custom:DND101": "BUSY", "Custom:DND102": "NOT_INUSE", "Custom:CF102": "BUSY"}
    assert do_not_disturb(devices, "101")
    assert not do_not_disturb(devices, "102")
    assert not do_not_disturb(devices, "103")
    assert forwarded(devices, "102")
    assert not forwarded(devices, "101")


@pytest.mark.parametrize("device", [pause_device("101"), closed_device(), closed_device("7495")])
def test_a_switch_may_be_set(device: str) -> None:
    assert SWITCH.fullmatch(device)
    assert {"NOT_INUSE", "BUSY", "ONHOLD", "INUSE", "RINGINUSE"} == SWITCH_STATES


@pytest.mark.parametrize(
    "device",
    [
        "Custom:DND101",
        "PJSIP/101",
        "Custom:dutyline-pause-",
        "Custom:dutyline-pause-1)",
        "Custom:dutyline-closed-",
        "Custom:dutyline-pause-101\r\n",
        "Custom:dutyline-pause-١٠١",
    ],
)
def test_nothing_else_may_be_set(device: str) -> None:
    assert SWITCH.fullmatch(device) is None
    assert paused_extension(device) is None


def test_whose_pause_a_device_holds() -> None:
    assert paused_extension(pause_device("101")) == "101"
    assert paused_extension(closed_device("101")) is None
