"""The dialplan contract as text for extensions.conf. docs/dialplan.md explains every part.

The dialplan fails open: each way out of the plan that is not a conversation or a planned end
leads to the fallback, and nothing waits for Dutyline longer than 1.5 s.
"""

from __future__ import annotations

from collections.abc import Iterator

from telephony.ami import names
from telephony.asterisk.features import features
from telephony.asterisk.lines import DialplanOptions, append_contacts, disturbs_not
from telephony.asterisk.orders import orders
from telephony.asterisk.pieces import user_event
from telephony.asterisk.proof import proof_of
from telephony.asterisk.queues import mobile_members, queue_keys
from telephony.asterisk.steps import line, screened, steps
from telephony.domain.orders import LINE_DIGITS

# Channel names: what remains can end no header and start no function.
_CHANNEL_CHARS = r"FILTER(0-9A-Za-z/_.@\x2d\;,{})"


def dialplan(options: DialplanOptions) -> str:
    """Return the text of the dialplan file."""
    parts = (
        _header(),
        _incoming(),
        _route(options),
        steps(options),
        _screen(options),
        _hangup(options),
        _transfer(options),
        _fallback(options),
        queue_keys(
            options.token,
            proof_of(
                options.queues, options.extensions, None if options.freepbx else options.boxes
            ),
        ),
        mobile_members(line(options), screened(options), options.mobile_plus),
        features(
            options.codes,
            [queue.pbx_name for queue in options.queues],
            dict(options.extensions),
        ),
        orders(options, line(options)),
        _included(options),
    )
    return "\n".join("\n".join(part) + "\n" for part in parts)


def _header() -> Iterator[str]:
    yield "; Written by `dutyline pbx-config`. Do not edit: run it again. See docs/dialplan.md."


def _incoming() -> Iterator[str]:
    yield f"[{names.INCOMING}]"
    yield "; Send your DIDs here. Digits only: a pattern that ends in a dot would take anything."
    for count in names.DID_DIGITS:
        for plus in ("", "+"):
            yield f"exten => _{plus}{'X' * count},1,{_SANITISE}"
            yield f" same => n,Set({names.DID}=${{FILTER(0-9,${{EXTEN}})}})"
            yield f" same => n,Set({names.KEY}=)"
            yield f" same => n,Goto({names.ROUTE},s,1)"
    yield "; A FreePBX Custom Destination comes in as s, with the DID in FROM_DID."
    yield f"exten => s,1,{_SANITISE}"
    yield f" same => n,Set({names.DID}=${{FILTER(0-9,${{FROM_DID}}):0:15}})"
    yield f" same => n,Set({names.KEY}=)"
    yield f" same => n,Goto({names.ROUTE},s,1)"


# Leaves a leading + and up to 15 digits of the caller's number, and no name.
_NUMBER = "${FILTER(+,${CALLERID(num):0:1})}${FILTER(0-9,${CALLERID(num)}):0:15}"
_SANITISE = f'Set(CALLERID(all)="" <{_NUMBER}>)'


def _route(options: DialplanOptions) -> Iterator[str]:
    fine, coarse = names.FINE_WAIT, names.COARSE_WAIT
    committed = f"#[#{{LEN(#{{{names.PLAN}}})}} > 0]"
    planned = f"GotoIf($[${{LEN(${{{names.PLAN}}})}} > 0]?{names.STEPS},s,1)"
    loops = round((fine[0] + coarse[0]) / 0.01)
    yield f"[{names.ROUTE}]"
    yield "; A caller who was transferred back in gets a new plan and keeps one record."
    yield f"exten => s,1,Set({names.PLAN}=)"
    yield f" same => n,Set({names.CLIENT_NAME}=)"
    yield f' same => n,Set(DL_AGAIN=$["${{{names.CALL}}}" = "${{UNIQUEID}}"])'
    yield f" same => n,Set(__{names.CALL}=${{UNIQUEID}})"
    yield "; Announced first; the rest is done while Dutyline decides."
    yield " same => n," + user_event(
        names.OFFERED,
        options.token,
        Did=f"${{{names.DID}}}",
        Number="${CALLERID(num)}",
        Key=f"${{FILTER(0-9\\x2d,${{{names.KEY}}})}}",
    )
    yield "; Who is on the line is not called back at the same time."
    line = f"n${{CALLERID(num):-{LINE_DIGITS}}}"
    yield f" same => n,Set(GROUP({names.LINES})={line})"
    yield " same => n,Set(DL_STEP=0)"
    yield " same => n,GotoIf(${DL_AGAIN}?again)"
    yield f" same => n,Set(CHANNEL(hangup_handler_push)={names.HANGUP},s,1)"
    yield f" same => n,Set(__TRANSFER_CONTEXT={names.TRANSFER})"
    yield " same => n,Set(DL_STARTED=${EPOCH})"
    yield " same => n(again),Ringing()"
    yield "; No heartbeat for a while: nobody will answer, so nobody is waited for."
    yield (
        f" same => n,GotoIf($[${{EPOCH}} - 0${{GLOBAL({names.HEARTBEAT})}} > "
        f"{names.HEARTBEAT_STALE_SECONDS}]?stale)"
    )
    yield "; Finely at first, for speed; then coarsely, so that a hung service costs little."
    for wait, every in (fine, coarse):
        yield f" same => n,TryExec(WaitForCondition(#,{committed},{wait},{every}))"
        yield f" same => n,{planned}"
    yield ' same => n,GotoIf($["${TRYSTATUS}" = "SUCCESS"]?late)'
    yield "; app_waitforcond is not loaded: look with plain applications."
    yield " same => n,Set(DL_LOOKS=0)"
    yield " same => n(look),Wait(0.01)"
    yield f" same => n,{planned}"
    yield " same => n,Set(DL_LOOKS=$[${DL_LOOKS} + 1])"
    yield f" same => n,GotoIf($[${{DL_LOOKS}} < {loops}]?look)"
    yield f" same => n(late),Goto({names.FALLBACK},late,1)"
    yield f" same => n(stale),Goto({names.FALLBACK},stale,1)"
    yield "; `dutyline doctor` looks for this one: it knows the token that this file was made with."
    yield f"exten => {names.proof_of(options.token)},1,NoOp()"


def _included(options: DialplanOptions) -> Iterator[str]:
    """Yield what brings the feature codes to FreePBX's extensions."""
    if options.freepbx:
        yield "; FreePBX's own place for what extensions may dial besides; contexts add up."
        yield "[from-internal-custom]"
        yield f"include => {names.FEATURES}"


def _screen(options: DialplanOptions) -> Iterator[str]:
    yield f"[{names.SCREEN}]"
    yield "; Runs on the mobile's leg: a voicemail presses nothing, a person presses 1."
    yield "exten => s,1," + user_event(names.SCREENED, options.token, Result="asked")
    yield "; Who hangs up now has refused: said first, since nothing runs after a hangup."
    yield " same => n,Set(GOSUB_RESULT=CONTINUE)"
    if options.language:
        yield f" same => n,Set(CHANNEL(language)={options.language})"
    yield " same => n,Set(DL_ASKED=0)"
    yield " same => n(ask),Set(DL_ASKED=$[${DL_ASKED} + 1])"
    yield " same => n,Read(DL_KEY,vm-press&digits/1,1,,1,4)"
    yield ' same => n,GotoIf($["${DL_KEY}" = "1"]?yes)'
    yield " same => n,GotoIf($[${DL_ASKED} < 2]?ask)"
    yield " same => n," + user_event(names.SCREENED, options.token, Result="refused")
    yield " same => n,Return()"
    yield " same => n(yes),Set(GOSUB_RESULT=)"
    yield " same => n," + user_event(names.SCREENED, options.token, Result="accepted")
    yield " same => n,Return()"


def _hangup(options: DialplanOptions) -> Iterator[str]:
    yield f"[{names.HANGUP}]"
    yield "; The call's summary, whatever happened before."
    yield "exten => s,1," + user_event(
        names.FINISHED,
        options.token,
        Did=f"${{{names.DID}}}",
        Number=_NUMBER,
        Started="${DL_STARTED}",
        Step="${DL_STEP}",
        Status="${FILTER(A-Z,${DIALSTATUS})}",
        AnsweredMs="${FILTER(0-9,${ANSWEREDTIME_MS})}",
        Peer="${" + _CHANNEL_CHARS.format("${DIALEDPEERNAME}") + "}",
        Source="${" + _CHANNEL_CHARS.format("${CHANNEL(hangupsource)}") + "}",
    )
    yield "; Who left a message hung up behind it: nothing but this runs then."
    yield f" same => n,GotoIf($[${{LEN(${{{names.MAILBOX}}})}} = 0]?unspoken)"
    yield " same => n," + user_event(
        names.VOICEMAIL,
        options.token,
        Mailbox=f"${{FILTER(0-9,${{{names.MAILBOX}}})}}",
        Status="${FILTER(A-Z,${VMSTATUS})}",
    )
    yield "; So that the CDR tells the DID too, unless somebody else uses these: a table has a"
    yield "; column, a CSV file the userfield. Last, since a CDR backend that hangs holds this up."
    yield " same => n(unspoken),GotoIf($[${LEN(${CDR(did)})} > 0]?userfield)"
    yield f" same => n,Set(CDR(did)=${{{names.DID}}})"
    yield " same => n(userfield),GotoIf($[${LEN(${CDR(userfield)})} > 0]?told)"
    yield f" same => n,Set(CDR(userfield)={names.USERFIELD_DID}${{{names.DID}}})"
    yield " same => n(told),Return()"


def _transfer(options: DialplanOptions) -> Iterator[str]:
    yield f"[{names.TRANSFER}]"
    yield "; An operator sent the caller here: a registered extension, else what extensions dial."
    for count in range(2, 11):
        yield f"exten => _{'X' * count},1,Set(DL_TO=${{EXTEN}})"
        yield " same => n,Goto(dial,1)"
    yield "exten => dial,1,Set(DL_DIAL=${PJSIP_DIAL_CONTACTS(${DL_TO})})"
    yield " same => n,GotoIf($[${LEN(${DL_DIAL})} = 0]?elsewhere,1)"
    if options.freepbx:
        yield f" same => n,GotoIf({disturbs_not('${DL_TO}')}?elsewhere,1)"
    yield " same => n,Dial(${DL_DIAL},30,gt)"
    yield " same => n,GotoIf($[${LEN(${ANSWEREDTIME})} > 0]?done)"
    yield f" same => n,Goto({names.FALLBACK},transfer,1)"
    yield " same => n(done),Hangup()"
    if options.internal_context:
        there = f"{options.internal_context},${{DL_TO}},1"
        yield f"exten => elsewhere,1,GotoIf(${{DIALPLAN_EXISTS({there})}}?{there})"
        yield f" same => n,Goto({names.FALLBACK},transfer,1)"
        yield f"include => {options.internal_context}"
    else:
        yield f"exten => elsewhere,1,Goto({names.FALLBACK},transfer,1)"


def _fallback(options: DialplanOptions) -> Iterator[str]:
    chosen = options.fallback
    yield f"[{names.FALLBACK}]"
    for reason in names.FALLBACK_REASONS:
        yield f"exten => {reason},1,Set(DL_REASON={reason})"
        yield " same => n,Goto(s,1)"
    yield "exten => s,1," + user_event(names.FELL_BACK, options.token, Reason="${DL_REASON}")
    if chosen.kind == "queue":
        yield f" same => n,Queue({chosen.value},ct,,,{chosen.seconds})"
    elif chosen.kind == "goto":
        yield f" same => n,Goto({chosen.value})"
    else:
        yield " same => n,Set(DL_DIAL=)"
        for index, name in enumerate(chosen.value.split("&"), start=1):
            yield f" same => n,Set(DL_CONTACTS=${{PJSIP_DIAL_CONTACTS({name})}})"
            yield from append_contacts(f"after{index}")
            yield f" same => n(after{index}),NoOp()"
        yield " same => n,GotoIf($[${LEN(${DL_DIAL})} = 0]?nobody)"
        yield f" same => n,Dial(${{DL_DIAL}},{chosen.seconds},gt)"
        yield " same => n(nobody),NoOp()"
    yield " same => n,Hangup(17)"
