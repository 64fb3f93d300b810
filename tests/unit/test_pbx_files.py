"""The files for the PBX: what the contract promises stands in them."""

from __future__ import annotations

import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from telephony.ami import names
from telephony.asterisk import freepbx
from telephony.asterisk.dialplan import dialplan
from telephony.asterisk.features import FeatureCodes
from telephony.asterisk.lines import DialplanOptions, Fallback
from telephony.asterisk.manager import ManagerOptions, has_criteria, manager
from telephony.asterisk.proof import proof_of
from telephony.asterisk.queues import queues
from telephony.asterisk.voicemail import voicemail
from telephony.cli import main
from telephony.domain.queueing import QueueSettings, Strategy
from telephony.domain.setup import Mailbox

TOKEN = "token-0123456789"
TEXT = dialplan(DialplanOptions(TOKEN, Fallback("queue", "support"), "provider", "from-internal"))


def contexts(text: str) -> dict[str, list[str]]:
    """Return context → its extension and same lines."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line.startswith("["):
            found[line.strip("[]")] = []
        elif line and not line.startswith(";"):
            found[list(found)[-1]].append(line)
    return found


def test_exactly_our_contexts() -> None:
    assert tuple(contexts(TEXT)) == names.CONTEXTS


def test_dids_are_digits_and_the_caller_is_sanitised_at_priority_one() -> None:
    first = [line for line in contexts(TEXT)[names.INCOMING] if line.startswith("exten")]
    for line in first:
        pattern, priority, action = re.fullmatch(r"exten => ([^,]+),(\d),(.+)", line).groups()  # type: ignore[union-attr]
        assert re.fullmatch(r"_\+?X+|s", pattern)
        assert priority == "1"
        if not pattern.startswith("token-"):
            assert action.startswith('Set(CALLERID(all)="" <${FILTER(+,')


def test_user_events_carry_ids_filtered_values_and_the_token_only() -> None:
    sent = re.findall(r"UserEvent\((\w+),(.*)\)$", TEXT, re.MULTILINE)
    layouts = {layout.name: layout for layout in names.USER_EVENTS}
    assert {name for name, _ in sent} == set(layouts)
    free = ("${DL_CALL}", TOKEN, "${DL_STEP}", "${DL_STARTED}", "${DL_REASON}", "${DL_DID}",
            "${CALLERID(num)}", "asked", "accepted", "refused", "",
            "dialled", "UNREGISTERED", "NOTRUNK", "LATE", "TWICE", "ONTHELINE")  # fmt: skip
    for name, body in sent:
        fields = re.findall(r"(\w+): (.*?)(?=,\w+: |$)", body)
        assert tuple(field for field, _ in fields) == layouts[name].fields
        for _, value in fields:
            assert value in free or value.startswith("${FILTER("), value
        assert "CALLERID(name)" not in body


def test_no_foreign_text_inside_an_application_that_takes_others_apart() -> None:
    for line in TEXT.splitlines():
        assert "ExecIf(" not in line, line


def test_no_expression_compares_foreign_text() -> None:
    # An expression evaluates what it compares: foreign text is only ever measured.
    compared = set(re.findall(r'\$\["\$\{(\w+)\}"', TEXT))
    known = {
        "DIALSTATUS",
        "DL_KIND",
        "DL_KEY",
        "DL_STATE",
        "DL_CALL",
        "TRYSTATUS",
        "QUEUESTATUS",
        "VMSTATUS",
        "PLAYBACKSTATUS",
        "READSTATUS",
        "AMDSTATUS",
    }
    assert compared == known


def test_the_wait_is_inside_tryexec_with_a_plain_loop_behind_it() -> None:
    lines = contexts(TEXT)[names.ROUTE]
    waits = [index for index, line in enumerate(lines) if "WaitForCondition" in line]
    assert len(waits) == 2
    assert all("TryExec(WaitForCondition(" in lines[index] for index in waits)
    loop = [index for index, line in enumerate(lines) if ",Wait(0.01)" in line]
    assert loop
    assert loop[0] > waits[-1]


def test_mobiles_are_screened_unless_switched_off() -> None:
    assert "mobile,1,Set(DL_OPTIONS=gtrU(dutyline-screen))" in TEXT
    assert "number,1,Set(DL_OPTIONS=gtr)" in TEXT
    plain = DialplanOptions(
        TOKEN,
        Fallback("queue", "q"),
        "provider",
        screen_mobiles=False,
        company_number="74951234567",
    )
    assert "mobile,1,Set(DL_OPTIONS=gtrf(74951234567))" in dialplan(plain)


def test_the_prompts_language_is_the_mobiles_only() -> None:
    spoken = dialplan(DialplanOptions(TOKEN, Fallback("queue", "q"), "provider", language="ru"))
    assert "Set(CHANNEL(language)=ru)" in "\n".join(contexts(spoken)[names.SCREEN])
    # The client's, on their own leg, is another one.
    greeted = "Set(CHANNEL(language)=${FILTER(a-z,${DL_LANGUAGE})})"
    assert spoken.replace(greeted, "").count("Set(CHANNEL(language)=ru)") == 2
    assert "Set(CHANNEL(language)=ru)" in "\n".join(contexts(spoken)[names.ACCEPT])
    assert "CHANNEL(language)" not in TEXT.replace(greeted, "")


@pytest.mark.parametrize(
    ("fallback", "line"),
    [
        (Fallback("queue", "support"), "Queue(support,ct,,,60)"),
        (Fallback("goto", "from-internal,600,1"), "Goto(from-internal,600,1)"),
        (Fallback("endpoints", "101&102"), "Set(DL_CONTACTS=${PJSIP_DIAL_CONTACTS(102)})"),
    ],
)
def test_the_fallbacks(fallback: Fallback, line: str) -> None:
    assert line in dialplan(DialplanOptions(TOKEN, fallback))


def test_no_dial_string_without_a_filter() -> None:
    for line in TEXT.splitlines():
        for variable in re.findall(r"Dial\((?:PJSIP/)?\$\{(\w+)\}", line):
            assert variable in ("DL_DIAL", "DL_ONE")
    assert "Set(DL_ONE=${FILTER(0-9+,${CUT(DL_REST,@,1)})})" in TEXT
    assert "Set(DL_TRUNK=${FILTER(0-9A-Za-z_.\\x2d,${CUT(DL_REST,@,2)})})" in TEXT
    assert "Set(DL_ONE=${FILTER(0-9,${DL_ONE})})" in TEXT
    assert "System(" not in TEXT
    assert "_X." not in TEXT
    assert "_X!" not in TEXT


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ((16, 30), False),
        ((18, 25), False),
        ((18, 26), True),
        ((20, 6), False),
        ((20, 11), True),
        ((22, 0), False),
        ((22, 1), True),
        ((23, 0), True),
    ],
)
def test_the_filters_form_follows_the_version(version: tuple[int, int], expected: bool) -> None:
    assert has_criteria(version) is expected
    text = manager(ManagerOptions("dutyline", "secret-secret", version))
    assert ("eventfilter(action(include)" in text) is expected
    assert ("eventfilter = ^Event: (" in text) is not expected


def test_the_manager_user_may_do_little() -> None:
    text = manager(ManagerOptions("dutyline", "secret-secret", (22, 10)))
    user, dialler = re.split(r"^\[dutyline-dial\]$", text, flags=re.MULTILINE)
    rights = dict(re.findall(r"^(read|write) = (.*)$", user, re.MULTILINE))
    assert rights == {"read": "call,agent,user", "write": "call,reporting,agent"}
    # Who may place calls hears and changes nothing, and is not known by the other's secret.
    assert re.findall(r"^(read|write) =(.*)$", dialler, re.MULTILINE) == [
        ("read", ""),
        ("write", " originate,reporting"),
    ]
    secrets = re.findall(r"^secret = (.*)$", text, re.MULTILINE)
    assert secrets == ["secret-secret", names.dialler_of("dutyline", "secret-secret")[1]]
    assert "secret-secret" not in secrets[1]
    for part in (user, dialler):
        assert "deny = 0.0.0.0/0.0.0.0" in part
    assert "timestampevents = yes" in text
    for event in names.WANTED:
        assert f"name({event})" in text


FREEPBX = dialplan(
    freepbx.for_freepbx(
        DialplanOptions(TOKEN, Fallback("queue", "400"), mobile_context="from-internal")
    )
)


def test_on_freepbx_a_queue_is_entered_as_freepbx_does() -> None:
    assert "Goto(ext-queues,400,1)" in FREEPBX
    assert "Queue(" not in "\n".join(contexts(FREEPBX)[names.FALLBACK])
    kept = freepbx.for_freepbx(DialplanOptions(TOKEN, Fallback("goto", "ivr-1,s,1")))
    assert "Goto(ivr-1,s,1)" in dialplan(kept)


def test_on_freepbx_transfers_go_where_extensions_dial() -> None:
    assert "include => from-internal-xfer" in contexts(FREEPBX)[names.TRANSFER]
    own = DialplanOptions(TOKEN, Fallback("queue", "400"), internal_context="my-own")
    assert "include => my-own" in dialplan(freepbx.for_freepbx(own))


def test_on_freepbx_do_not_disturb_is_asked_before_a_desk_phone_rings() -> None:
    asked = [line for line in FREEPBX.splitlines() if "DB(DND/" in line]
    assert len(asked) == 3, "in a plan, in a transfer, in an order"
    assert asked[0].startswith("exten => desk,1,GotoIf($[${LEN(${DB(DND/${FILTER(")
    assert "DND" not in TEXT
    assert "DND" not in "\n".join(contexts(FREEPBX)[names.FALLBACK])


def test_mobiles_may_go_through_the_pbxs_outbound_routes() -> None:
    assert "Set(DL_DIAL=Local/${DL_ONE}@from-internal)" in FREEPBX


def test_a_line_is_added_once_and_the_rest_is_kept() -> None:
    line = "#include dutyline_extensions.conf"
    assert freepbx.with_line("", line) == f"{line}\n"
    once = freepbx.with_line("[mine]\nexten => 1,1,NoOp()", line)
    assert once == f"[mine]\nexten => 1,1,NoOp()\n{line}\n"
    assert freepbx.with_line(once, line) == once
    assert freepbx.with_line(f";{line}\n", line) == f";{line}\n{line}\n"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Result:
    """Run `dutyline pbx-config` with what it always needs."""
    monkeypatch.setenv("DUTYLINE_AMI_SECRET", "secret-secret")
    monkeypatch.setenv("DUTYLINE_TOKEN", TOKEN)
    always = ("pbx-config", "--asterisk-version", "22.10", "--fallback", "queue:400")
    return CliRunner().invoke(main, [*always, *arguments])


def test_freepbxs_own_files_stay_and_the_admins_get_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    generated = tmp_path / "extensions.conf"
    generated.write_text("; written by FreePBX\n")
    admins = tmp_path / "extensions_custom.conf"
    admins.write_bytes(b"; caf\xe9\n[from-internal-custom]")
    admins.chmod(0o664)
    for _ in range(2):
        done = run(monkeypatch, "--for", "freepbx", "--write", str(tmp_path))
        assert done.exit_code == 0, done.output
    assert generated.read_text() == "; written by FreePBX\n"
    assert admins.read_bytes() == (
        b"; caf\xe9\n[from-internal-custom]\n#include dutyline_extensions.conf\n"
    )
    assert stat.S_IMODE(admins.stat().st_mode) == 0o664
    assert (tmp_path / "manager_custom.conf").read_text() == "#include dutyline_manager.conf\n"
    assert stat.S_IMODE((tmp_path / "dutyline_manager.conf").stat().st_mode) == 0o640
    assert {path.name for path in tmp_path.iterdir()} == {
        "extensions.conf",
        *freepbx.INCLUDES,
        "dutyline_extensions.conf",
        "dutyline_manager.conf",
        "dutyline_queues.conf",
    }


def test_the_admin_is_told_what_to_click(monkeypatch: pytest.MonkeyPatch) -> None:
    said = run(monkeypatch, "--for", "freepbx").output
    for words in (freepbx.DESTINATION, "Custom Destinations", "Inbound Routes", "Apply Config"):
        assert words in said
    for line in freepbx.INCLUDES.values():
        assert line in said
    assert "Custom Destinations" not in run(monkeypatch).output


def test_a_trunk_and_the_routes_exclude_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    done = run(monkeypatch, "--mobile-trunk", "a", "--mobile-context", "from-internal")
    assert done.exit_code == 2
    assert "not both" in done.output


SALES = QueueSettings("sales", Strategy.RRMEMORY, 20, 15, 180, "jazz", announce_wait=False)
QUIET = QueueSettings(
    "quiet", announce_position=False, announce_wait=False, callback=False, announce_seconds=60
)


def test_a_queue_is_what_the_admin_said() -> None:
    text = queues([SALES, QUIET])
    head, quiet, sales = text.split("\n\n")
    assert "[general](+)" in head
    assert "persistentmembers = yes" in head
    assert quiet.startswith("[dutyline-quiet]\nstrategy = ringall\n")
    for line in (
        "[dutyline-sales]",
        "strategy = rrmemory",
        "timeout = 20",
        "wrapuptime = 15",
        "musicclass = jazz",
        "announce-position = yes",
        "announce-holdtime = no",
        "announce-frequency = 45",
        "context = dutyline-queue",
        "ringinuse = no",
    ):
        assert line in sales.splitlines()
    assert "announce-frequency = 0" in quiet
    assert "context =" not in quiet
    assert "member" not in text.replace("persistentmembers", "").replace("; Members", "")


def test_the_dialplan_proves_which_queues_it_was_made_with() -> None:
    made = dialplan(DialplanOptions(TOKEN, Fallback("queue", "support"), queues=(SALES, QUIET)))
    assert f"exten => {proof_of([QUIET, SALES])},1,NoOp()" in made
    assert proof_of([SALES]) != proof_of([replace(SALES, wrapup_seconds=16)])
    assert proof_of([]) in TEXT
    desks, box = (("boris-desk", "102"),), Mailbox("1", "Sales")
    more = DialplanOptions(TOKEN, Fallback("queue", "q"), extensions=desks, boxes=(box,))
    assert f"exten => {proof_of([], desks, [box])},1,NoOp()" in dialplan(more)
    assert f"exten => {proof_of([], desks, None)},1,NoOp()" in dialplan(freepbx.for_freepbx(more))
    assert (
        len({proof_of([], desks, boxes) for boxes in ([box], [replace(box, pin="77")], [], None)})
        == 4
    )


def test_a_mobile_in_a_queue_is_screened_and_dialled_as_the_admin_chose() -> None:
    assert "Dial(PJSIP/${DL_ONE}@provider,120,trU(dutyline-screen))" in TEXT
    assert "Dial(Local/${DL_ONE}@from-internal,120,trU(" in FREEPBX
    plus = DialplanOptions(TOKEN, Fallback("queue", "q"), "provider", mobile_plus=True)
    assert "Set(DL_ONE=+${FILTER(0-9,${EXTEN})})" in dialplan(plus)
    without = contexts(dialplan(DialplanOptions(TOKEN, Fallback("queue", "q"))))
    # Without a usual way outside only mobiles with a trunk of their own are dialled.
    dials = [line for line in without[names.MOBILE] if "Dial(" in line]
    assert dials == [" same => n,Dial(PJSIP/${DL_ONE}@${DL_TRUNK},120,trU(dutyline-screen))"]


def test_the_feature_codes_set_the_switches_and_pause_in_our_queues_only() -> None:
    options = DialplanOptions(
        TOKEN,
        Fallback("queue", "support"),
        codes=FeatureCodes("*11", "*12", "*13", "*14", "*15", "*16"),
        queues=(SALES,),
        extensions=(("boris-desk", "102"),),
    )
    lines = contexts(dialplan(options))[names.FEATURES]
    for code, state in (
        ("*11", "BUSY"),
        ("*12", "ONHOLD"),
        ("*13", "INUSE"),
        ("*16", "RINGINUSE"),
        ("*15", "NOT_INUSE"),
    ):
        assert f"exten => {code},1,Set(DL_STATE={state})" in lines
    assert "exten => _*15XXX,hint,Custom:dutyline-pause-${EXTEN:3}" in lines
    assert "exten => *14,hint,Custom:dutyline-closed" in lines
    assert "exten => _*14XXXXXXXXXXX,hint,Custom:dutyline-closed-${EXTEN:3}" in lines
    assert "exten => of-boris-desk,1,Set(DL_WHO=102)" in lines
    member = "PauseQueueMember(dutyline-sales,PJSIP/${CHANNEL(endpoint)}"
    assert [line for line in lines if "QueueMember(" in line] == [
        f" same => n,{member},,${{DL_WHY}})",
        f" same => n,{member.replace('Pause', 'Unpause')})",
    ]
    assert "QueueMember(" not in TEXT


@pytest.mark.parametrize(
    "codes", [("81", "*82"), ("*81", "*81"), ("*8", "*82"), ("*81x", "*82"), ("*81", "*812")]
)
def test_feature_codes_that_cannot_be(codes: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="feature code"):
        FeatureCodes(*codes)


def test_the_feature_codes_of_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "exten => *71,1," in run(monkeypatch, "--lunch-code", "*71").output
    done = run(monkeypatch, "--lunch-code", "*8")
    assert done.exit_code == 2
    assert "beginning of another" in done.output
    assert "the groups' queues are not known" in run(monkeypatch).output


def test_on_freepbx_extensions_can_dial_the_feature_codes() -> None:
    assert contexts(FREEPBX)["from-internal-custom"] == ["include => dutyline-features"]


def test_a_mailbox_has_a_pin_that_nobody_can_guess_unless_it_has_one() -> None:
    boxes = [Mailbox("2", "Support", pin="4711"), Mailbox("1", "Sales", "sales@example.com")]
    text = voicemail(boxes, TOKEN)
    first, second = [line for line in text.splitlines() if "=>" in line]
    assert re.fullmatch(r"1 => [0-9]{10},Sales,sales@example\.com,,attach=yes", first)
    assert second == "2 => 4711,Support"
    assert "[dutyline]" in text
    assert voicemail(boxes, "another-token") != text
    assert "@default,${IF(" in FREEPBX
    assert "@dutyline,${IF(" in TEXT
