"""The steps of a plan in the dialplan: each kind that `domain.routing.Kind` names."""

from __future__ import annotations

from collections.abc import Iterator

from telephony.ami import names
from telephony.asterisk.lines import DialplanOptions, append_contacts, disturbs_not
from telephony.asterisk.pieces import user_event

_STEPS = (
    "desk", "mobile", "via", "queue", "say", "menu", "number", "promise", "voicemail", "reject",
    "end",
)  # fmt: skip
_SOUND_CHARS = "FILTER(0-9A-Za-z_./\\x2d,{})"


def _part(place: int) -> str:
    return f"${{CUT(DL_REST,&,{place})}}"


def _sound(place: int) -> str:
    return "${" + _SOUND_CHARS.format(_part(place)) + "}"


def steps(options: DialplanOptions) -> Iterator[str]:
    yield f"[{names.STEPS}]"
    yield "; One step of the plan after the other: kind,seconds,target&target."
    yield "exten => s,1,Set(DL_STEP=$[${DL_STEP} + 1])"
    yield f" same => n,Set(ARRAY(DL_KIND,DL_SECONDS,DL_REST)=${{{names.STEP}${{DL_STEP}}}})"
    yield "; Foreign text is measured and set, never compared and never an argument: an"
    yield "; expression would evaluate it, an application would take it apart."
    yield f" same => n,GotoIf($[${{LEN(${{{names.CLIENT_NAME}}})}} = 0]?unnamed)"
    yield f" same => n,Set(CALLERID(name)=${{{names.CLIENT_NAME}}})"
    yield " same => n(unnamed),Set(DL_DIAL=)"
    for kind in _STEPS:
        yield f' same => n,GotoIf($["${{DL_KIND}}" = "{kind}"]?{kind},1)'
    yield "; Planned, or a plan that is shorter than it says: never drop the caller."
    yield f' same => n,GotoIf($["${{DL_KIND}}" = "fallback"]?{names.FALLBACK},planned,1)'
    yield f" same => n,Goto({names.FALLBACK},broken,1)"
    yield "; Every registered contact of every endpoint rings."
    endpoint = "${FILTER(0-9A-Za-z_.\\x2d,${CUT(DL_REST,&,1)})}"
    if options.freepbx:
        yield f"exten => desk,1,GotoIf({disturbs_not(endpoint)}?rest)"
        yield f" same => n,Set(DL_CONTACTS=${{PJSIP_DIAL_CONTACTS({endpoint})}})"
    else:
        yield f"exten => desk,1,Set(DL_CONTACTS=${{PJSIP_DIAL_CONTACTS({endpoint})}})"
    yield from append_contacts("rest")
    yield " same => n(rest),Set(DL_REST=${CUT(DL_REST,&,2-)})"
    yield " same => n,GotoIf($[${LEN(${DL_REST})} > 0]?desk,1)"
    yield " same => n,GotoIf($[${LEN(${DL_DIAL})} = 0]?unregistered,1)"
    yield " same => n,Dial(${DL_DIAL},${FILTER(0-9,${DL_SECONDS})},gt)"
    yield " same => n,Goto(dialled,1)"
    yield "exten => unregistered,1,Set(DIALSTATUS=UNREGISTERED)"
    yield " same => n,Goto(failed,1)"
    yield from _mobile(options)
    yield "; A conversation has a length; a mobile that was answered but refused has none."
    yield "exten => dialled,1,GotoIf($[${LEN(${ANSWEREDTIME})} > 0]?done)"
    yield " same => n,Goto(failed,1)"
    yield " same => n(done),Hangup()"
    yield "exten => failed,1," + user_event(
        names.STEP_ENDED,
        options.token,
        Step="${DL_STEP}",
        Status="${FILTER(A-Z,${DIALSTATUS})}",
    )
    yield " same => n,Goto(next,1)"
    yield f"exten => next,1,GotoIf($[${{DL_STEP}} < {names.MAX_STEPS}]?s,1)"
    yield f" same => n,Goto({names.FALLBACK},broken,1)"
    yield from _waiting()
    yield from _told(options)
    yield "exten => reject,1,Hangup(21)"
    yield "; Nobody was rung in a queue that the PBX does not have: the caller is not dropped."
    missing = f'$["${{DIALSTATUS}}" = "{names.NO_QUEUE}"]'
    yield f"exten => end,1,GotoIf({missing}?{names.FALLBACK},noqueue,1)"
    yield " same => n,Hangup(17)"


def _waiting() -> Iterator[str]:
    """Yield the steps in which a caller waits or chooses: queue, announcement, menu."""
    yield "exten => queue,1,Set(DL_QUEUE=${FILTER(0-9a-z\\x2d," + _part(1) + ")})"
    yield f" same => n,Set(DIALSTATUS={names.NO_QUEUE})"
    yield "; A queue that the PBX does not have costs a step, not the call."
    yield " same => n,GotoIf($[0${QUEUE_EXISTS(${DL_QUEUE})} = 0]?failed,1)"
    yield " same => n,Set(QUEUE_PRIO=${FILTER(0-9," + _part(2) + ")})"
    yield " same => n,Answer()"
    yield " same => n,Queue(${DL_QUEUE},ct,,,${FILTER(0-9,${DL_SECONDS})})"
    yield ' same => n,GotoIf($["${QUEUESTATUS}" = "CONTINUE"]?done)'
    yield " same => n,Set(DIALSTATUS=${QUEUESTATUS})"
    yield " same => n,Goto(failed,1)"
    yield " same => n(done),Hangup()"
    yield "exten => say,1,Answer()"
    yield f" same => n,Playback({_sound(1)})"
    yield " same => n,Goto(next,1)"
    yield "; A key is told with a second announcement, which brings the plan for it."
    yield f"exten => menu,1,Set(DL_SOUND={_sound(1)})"
    yield f" same => n,Set(DL_KEYS=${{FILTER(0-9,{_part(2)})}})"
    yield f" same => n,Set(DL_TRIES=0${{FILTER(0-9,{_part(3)})}})"
    yield " same => n,Answer()"
    yield " same => n,Set(DL_ASKED=0)"
    yield " same => n(ask),Set(DL_ASKED=$[${DL_ASKED} + 1])"
    yield f" same => n,Read({names.KEY},${{DL_SOUND}},1,,1,${{FILTER(0-9,${{DL_SECONDS}})}})"
    yield "; A sound that is not there must not take the time to press a key."
    yield ' same => n,GotoIf($["${READSTATUS}" = "OK" | "${READSTATUS}" = "TIMEOUT"]?read)'
    yield f" same => n,Read({names.KEY},,1,,1,${{FILTER(0-9,${{DL_SECONDS}})}})"
    yield f" same => n(read),Set({names.KEY}=${{FILTER(0-9,${{{names.KEY}}})}})"
    yield f" same => n,GotoIf($[${{LEN(${{{names.KEY}}})}} = 0]?again)"
    yield f" same => n,GotoIf($[${{LEN(${{FILTER(${{{names.KEY}}},${{DL_KEYS}})}})}} > 0]?chosen)"
    yield " same => n(again),GotoIf($[${DL_ASKED} < ${DL_TRIES}]?ask)"
    yield f" same => n,Set({names.KEY}=-)"
    yield f" same => n(chosen),Goto({names.ROUTE},s,1)"


def _told(options: DialplanOptions) -> Iterator[str]:
    """Yield the ends at which no operator is: a promised callback, a mailbox."""
    yield "; First said, then played: whoever hangs up in the announcement is called back, too."
    promised = user_event(names.CALLBACK_ASKED, options.token, Queue="")
    yield f"exten => promise,1,{promised}"
    yield f" same => n,Set(DL_SOUND={_sound(1)})"
    yield " same => n,Goto(promised,1)"
    yield "; Nobody is promised anything in silence: without a sound that plays, the usual one."
    yield "exten => promised,1,Answer()"
    yield " same => n,GotoIf($[${LEN(${DL_SOUND})} = 0]?usual)"
    yield " same => n,Playback(${DL_SOUND})"
    yield ' same => n,GotoIf($["${PLAYBACKSTATUS}" = "SUCCESS"]?said)'
    yield " same => n(usual),Playback(vm-nobodyavail)"
    yield " same => n(said),Hangup(17)"
    yield f"exten => voicemail,1,Set({names.MAILBOX}=${{FILTER(0-9,{_part(1)})}})"
    yield f" same => n,Set(DL_SOUND={_sound(2)})"
    yield " same => n,Answer()"
    yield " same => n,GotoIf($[${LEN(${DL_SOUND})} = 0]?said)"
    yield " same => n,Playback(${DL_SOUND})"
    yield "; Without an announcement of ours the mailbox has its own."
    yield (
        f" same => n(said),TryExec(VoiceMail(${{{names.MAILBOX}}}@{options.mailboxes},"
        "${IF($[${LEN(${DL_SOUND})} > 0]?s:u)}))"
    )
    yield "; A mailbox that is not there or full, or nothing said: the caller is called back."
    yield ' same => n,GotoIf($["${VMSTATUS}" = "SUCCESS"]?left)'
    yield f" same => n,{promised}"
    yield " same => n,Set(DL_SOUND=)"
    yield " same => n,Goto(promised,1)"
    yield " same => n(left),Hangup(17)"


def line(options: DialplanOptions) -> str | None:
    """Return the dial string of the number in DL_ONE, None when there is no way outside."""
    if options.mobile_context is not None:
        return f"Local/${{DL_ONE}}@{options.mobile_context}"
    return f"PJSIP/${{DL_ONE}}@{options.mobile_trunk}" if options.mobile_trunk else None


def screened(options: DialplanOptions) -> str:
    """Return the options of Dial that screen a mobile and show a number on it."""
    screen = f"U({names.SCREEN})" if options.screen_mobiles else ""
    return screen + _shown(options)


def _shown(options: DialplanOptions) -> str:
    return f"f({options.company_number})" if options.company_number else ""


def _mobile(options: DialplanOptions) -> Iterator[str]:
    """Yield the steps that dial a number outside: a mobile, which is screened, or any other."""
    kept = "0-9+" if options.mobile_plus else "0-9"
    yield f"exten => mobile,1,Set(DL_OPTIONS=gtr{screened(options)})"
    yield " same => n,Goto(outside,1)"
    yield "; Of a kind of its own: a dialplan that knows no trunks must not dial their names."
    yield f"exten => via,1,Set(DL_OPTIONS=gtr{screened(options)})"
    yield " same => n,Goto(outside,1)"
    yield f"exten => number,1,Set(DL_OPTIONS=gtr{_shown(options)})"
    yield " same => n,Goto(outside,1)"
    yield "; A trunk that the plan names has the number in its own form."
    yield "exten => outside,1,Set(DL_TRUNK=${FILTER(0-9A-Za-z_.\\x2d,${CUT(DL_REST,@,2)})})"
    yield " same => n,Set(DL_ONE=${FILTER(0-9+,${CUT(DL_REST,@,1)})})"
    yield " same => n,Set(DIALSTATUS=INVALID)"
    yield " same => n,GotoIf($[${LEN(${DL_ONE})} = 0]?failed,1)"
    yield " same => n,Set(DL_DIAL=PJSIP/${DL_ONE}@${DL_TRUNK})"
    yield " same => n,GotoIf($[${LEN(${DL_TRUNK})} > 0]?dial)"
    usual = line(options)
    if usual is None:
        yield " same => n,Set(DIALSTATUS=NOTRUNK)"
        yield " same => n,Goto(failed,1)"
    else:
        yield f" same => n,Set(DL_ONE=${{FILTER({kept},${{DL_ONE}})}})"
        yield f" same => n,Set(DL_DIAL={usual})"
    yield "; r: the mobile network's early media must not reach the caller."
    yield " same => n(dial),Dial(${DL_DIAL},${FILTER(0-9,${DL_SECONDS})},${DL_OPTIONS})"
    yield " same => n,Goto(dialled,1)"
