"""The dialplan of calls that Dutyline orders: an operator first, or the client first.

An order is a Local channel. Its second half dials whoever is called first; when they accept, its
first half goes on to the other party. The order's Uniqueid is written into the PBX's own database
before the client is dialled, so that one that comes twice dials once, whatever happened between.
"""

from __future__ import annotations

from collections.abc import Iterator

from telephony.ami import names
from telephony.asterisk.lines import DialplanOptions, append_contacts, disturbs_not
from telephony.asterisk.pieces import user_event
from telephony.domain.orders import ACCEPTED, DIALLED, LINE_DIGITS, REFUSED

_MOST_CLEARED = 5
_AGAIN = 2  # how often somebody is asked to press a key


def _digits(variable: str, more: str = "") -> str:
    return f"${{FILTER(0-9{more},${{{variable}}})}}"


def _endpoint(variable: str) -> str:
    return f"${{FILTER(0-9A-Za-z_.\\x2d,${{{variable}}})}}"


def orders(options: DialplanOptions, usual: str | None) -> Iterator[str]:
    """Yield the contexts of ordered calls; `usual` is the dial string of the number in DL_ONE."""
    yield from _order(options, usual)
    yield from _accept(options)
    yield from _ordered(options, usual)
    yield from _recall(options, usual)
    yield from _recalled(options)
    yield from _greet(options)
    yield from _dialled(options)


def _order(options: DialplanOptions, usual: str | None) -> Iterator[str]:
    yield f"[{names.ORDER}]"
    yield "; EXTENSION*CLIENT*DID: the half that rings the operator, at a desk or a mobile."
    yield "exten => s,1,Hangup()"
    yield f"exten => _[0-9].,1,Set(__{names.CALL}=${{CHANNEL(linkedid)}})"
    yield from _in_time(options, names.UNTIL)
    yield " same => n(intime),NoOp()"
    yield f' same => n,Set(CALLERID(all)="" <{_digits(names.TO, "+")}>)'
    yield f" same => n,Set(CALLERID(name)=${{URIDECODE(${{{names.NAME}}})}})"
    yield " same => n,Set(DL_DIAL=)"
    yield f" same => n,GotoIf($[${{LEN(${{{names.DESK}}})}} = 0]?mobile)"
    desk = _endpoint(names.DESK)
    if options.freepbx:
        yield f" same => n,GotoIf({disturbs_not(desk)}?none)"
    yield f" same => n,Set(DL_CONTACTS=${{PJSIP_DIAL_CONTACTS({desk})}})"
    yield from append_contacts("none")
    yield " same => n,Goto(dial)"
    yield from _line("mobile", names.WHOM, names.WHOM_BY, options, usual, "none")
    yield f" same => n(dial),Dial(${{DL_DIAL}},{_digits(names.RING)},gU({names.ACCEPT}))"
    yield " same => n,Hangup(${HANGUPCAUSE})"
    yield " same => n(none)," + _told(options, REFUSED, "UNREGISTERED")
    yield " same => n,Hangup(20)"


def _accept(options: DialplanOptions) -> Iterator[str]:
    yield f"[{names.ACCEPT}]"
    yield "; On the operator's leg: whom it is for, digit by digit, and 1 to accept."
    yield "exten => s,1," + user_event(names.SCREENED, options.token, Result="asked")
    yield "; Who hangs up now has refused: said first, since nothing runs after a hangup."
    yield " same => n,Set(GOSUB_RESULT=CONTINUE)"
    if options.language:
        yield f" same => n,Set(CHANNEL(language)={options.language})"
    yield f" same => n,Set(DL_LEFT={_digits(names.TO)})"
    yield " same => n,Set(DL_SAID=vm-from-phonenumber)"
    yield " same => n(digit),GotoIf($[${LEN(${DL_LEFT})} = 0]?whole)"
    yield " same => n,Set(DL_SAID=${DL_SAID}&digits/${DL_LEFT:0:1})"
    yield " same => n,Set(DL_LEFT=${DL_LEFT:1})"
    yield " same => n,Goto(digit)"
    yield from _asked(options, "whole", "${DL_SAID}&vm-press&digits/1")


def _ordered(options: DialplanOptions, usual: str | None) -> Iterator[str]:
    yield f"[{names.ORDERED}]"
    yield "; The operator accepted: the client is dialled, once."
    yield f"exten => s,1,Set(__{names.CALL}=${{UNIQUEID}})"
    yield " same => n," + _told(options, ACCEPTED, "")
    yield "; However long they took, but not into the client's quiet hours, and not beside a call."
    sorry = " same => n,Playback(beeperr)"
    yield from _in_time(options, names.CLIENT_UNTIL, sorry)
    yield from _once(options, "${UNIQUEID}", sorry)
    yield f" same => n,Set(CHANNEL(hangup_handler_push)={names.DIALLED},s,1)"
    yield from _to_client(options, usual)
    yield " same => n,Hangup(${HANGUPCAUSE})"
    yield " same => n(none)," + _told(options, REFUSED, "NOTRUNK")
    yield " same => n,Hangup(38)"


def _recall(options: DialplanOptions, usual: str | None) -> Iterator[str]:
    yield f"[{names.RECALL}]"
    yield "; *CLIENT*DID: the half that calls the client first."
    yield "exten => s,1,Hangup()"
    yield f"exten => _[*].,1,Set(__{names.CALL}=${{CHANNEL(linkedid)}})"
    yield from _in_time(options, names.UNTIL)
    yield from _once(options, "${CHANNEL(linkedid)}")
    yield f" same => n,Set(CHANNEL(hangup_handler_push)={names.DIALLED},s,1)"
    yield from _to_client(options, usual)
    yield " same => n,Hangup(${HANGUPCAUSE})"
    yield " same => n(none)," + _told(options, REFUSED, "NOTRUNK")
    yield " same => n,Hangup(38)"


def _recalled(options: DialplanOptions) -> Iterator[str]:
    yield f"[{names.RECALLED}]"
    yield "; The client accepted: put through like whoever calls that number, under their own."
    yield f"exten => s,1,Set(__{names.CALL}=${{UNIQUEID}})"
    yield " same => n," + _told(options, ACCEPTED, "")
    yield f' same => n,Set(CALLERID(all)="" <{_digits(names.TO, "+")}>)'
    yield f" same => n,Set({names.DID}={_digits(names.DID)})"
    yield f" same => n,Set({names.KEY}=)"
    # Who comes through the route again keeps their call: it would take this one for that.
    yield f" same => n,Set(__{names.CALL}=)"
    yield f" same => n,Goto({names.ROUTE},s,1)"


def _greet(options: DialplanOptions) -> Iterator[str]:
    yield f"[{names.GREET}]"
    yield "; On the client's leg: a greeting, and a key where no machine may be put through."
    yield "exten => s,1," + user_event(names.SCREENED, options.token, Result="asked")
    yield " same => n,Set(GOSUB_RESULT=CONTINUE)"
    yield f" same => n,GotoIf($[${{LEN(${{{names.LANGUAGE}}})}} = 0]?spoken)"
    yield f" same => n,Set(CHANNEL(language)=${{FILTER(a-z,${{{names.LANGUAGE}}})}})"
    yield f" same => n(spoken),GotoIf($[${{LEN(${{{names.MACHINES}}})}} = 0]?greet)"
    yield " same => n,AMD()"
    yield ' same => n,GotoIf($["${AMDSTATUS}" = "MACHINE"]?no)'
    yield f" same => n(greet),Set(DL_SAID=${{FILTER(0-9A-Za-z_./\\x2d,${{{names.GREETING}}})}})"
    yield f" same => n,GotoIf($[${{LEN(${{{names.ASKED}}})}} > 0]?press)"
    yield " same => n,GotoIf($[${LEN(${DL_SAID})} = 0]?yes)"
    yield " same => n,Playback(${DL_SAID})"
    yield " same => n,Goto(yes)"
    yield (
        " same => n(press),Set(DL_SAID=${DL_SAID}${IF($[${LEN(${DL_SAID})} > 0]?&)}"
        "vm-press&digits/1)"
    )
    yield from _asked(options, "asked", "${DL_SAID}")


def _dialled(options: DialplanOptions) -> Iterator[str]:
    yield f"[{names.DIALLED}]"
    yield "; Whoever hung up: how the dialling of the client ended."
    yield "exten => s,1," + _told(options, DIALLED, "${FILTER(A-Z,${DIALSTATUS})}")
    yield "; Orders of more than a day ago come no more: the oldest few are forgotten each time."
    yield " same => n,Set(DL_CLEARED=0)"
    yield f" same => n(clear),Set(DL_KEYS=${{DB_KEYS({names.FENCES})}})"
    yield " same => n,Set(DL_OLD=${FILTER(0-9a-z.\\x2d,${CUT(DL_KEYS,\\,,1)})})"
    yield " same => n,GotoIf($[${LEN(${DL_OLD})} = 0]?clean)"
    yield f" same => n,Set(DL_SINCE=0${{FILTER(0-9,${{DB({names.FENCES}/${{DL_OLD}})}})}})"
    yield f" same => n,GotoIf($[${{EPOCH}} - ${{DL_SINCE}} < {names.FENCE_SECONDS}]?clean)"
    yield f" same => n,Set(DL_GONE=${{DB_DELETE({names.FENCES}/${{DL_OLD}})}})"
    yield " same => n,Set(DL_CLEARED=$[${DL_CLEARED} + 1])"
    yield f" same => n,GotoIf($[${{DL_CLEARED}} < {_MOST_CLEARED}]?clear)"
    yield " same => n(clean),Return()"


def _in_time(options: DialplanOptions, until: str, *sorry: str) -> Iterator[str]:
    """Yield the lines that end an order which comes late; they go on at `intime`.

    `sorry` are those that tell an operator who has accepted.
    """
    yield f" same => n,GotoIf($[${{EPOCH}} <= 0{_digits(until)}]?intime)"
    yield " same => n," + _told(options, REFUSED, "LATE")
    yield from sorry
    yield " same => n,Hangup(31)"


def _once(options: DialplanOptions, fence: str, *sorry: str) -> Iterator[str]:
    """Yield the lines that end an order which comes twice, or whose client is on the line now.

    `sorry` are those that tell an operator who has accepted; with nobody there they would answer.
    """
    line = f"n${{FILTER(0-9,${{{names.TO}}}):-{LINE_DIGITS}}}"
    there = f"${{GROUP_COUNT({line}@{names.LINES})}}"
    yield f" same => n(intime),GotoIf($[0{there} = 0]?absent)"
    yield " same => n," + _told(options, REFUSED, "ONTHELINE")
    yield from sorry
    yield " same => n,Hangup(17)"
    key = f"{names.FENCES}/{fence}"
    yield f" same => n(absent),GotoIf($[0${{DB_EXISTS({key})}} = 0]?first)"
    yield " same => n," + _told(options, REFUSED, "TWICE")
    yield " same => n,Hangup(31)"
    yield f" same => n(first),Set(DB({key})=${{EPOCH}})"


def _to_client(options: DialplanOptions, usual: str | None) -> Iterator[str]:
    """Yield the lines that dial the client; without a way outside they go on at `none`."""
    shown = options.company_number or _digits(names.SHOWN, "+")
    yield f' same => n,Set(CALLERID(all)="" <{shown}>)'
    yield from _line("client", names.TO_LINE, names.TO_BY, options, usual, "none")
    greeted = f"${{LEN(${{{names.GREETING}}}${{{names.ASKED}}}${{{names.MACHINES}}})}} > 0"
    yield f" same => n,Set(DL_GREET=${{IF($[{greeted}]?U({names.GREET}))}})"
    yield (
        f" same => n,Dial(${{DL_DIAL}},{_digits(names.CLIENT_RING)},"
        f"gL({_digits(names.LONGEST)})${{DL_GREET}})"
    )


def _line(
    label: str, number: str, trunk: str, options: DialplanOptions, usual: str | None, none: str
) -> Iterator[str]:
    """Yield the lines that set DL_DIAL to a number through a trunk of its own, or the usual one."""
    yield f" same => n({label}),Set(DL_ONE={_digits(number, '+')})"
    yield f" same => n,GotoIf($[${{LEN(${{DL_ONE}})}} = 0]?{none})"
    yield f" same => n,Set(DL_DIAL=PJSIP/${{DL_ONE}}@{_endpoint(trunk)})"
    yield f" same => n,GotoIf($[${{LEN({_endpoint(trunk)})}} > 0]?{label}-known)"
    if usual is None:
        yield f" same => n,Goto({none})"
    else:
        kept = "0-9+" if options.mobile_plus else "0-9"
        yield f" same => n,Set(DL_ONE=${{FILTER({kept},${{DL_ONE}})}})"
        yield f" same => n,Set(DL_DIAL={usual})"
    yield f" same => n({label}-known),NoOp()"


def _asked(options: DialplanOptions, label: str, said: str) -> Iterator[str]:
    """Yield the lines that ask for the key 1, and what came of it."""
    yield f" same => n({label}),Set(DL_ASKED=0)"
    yield " same => n(ask),Set(DL_ASKED=$[${DL_ASKED} + 1])"
    yield f" same => n,Read({names.KEY},{said},1,,1,4)"
    yield f' same => n,GotoIf($["${{{names.KEY}}}" = "1"]?yes)'
    yield f" same => n,GotoIf($[${{LEN(${{{names.KEY}}})}} > 0]?no)"
    yield f" same => n,GotoIf($[${{DL_ASKED}} < {_AGAIN}]?ask)"
    yield " same => n(no)," + user_event(names.SCREENED, options.token, Result="refused")
    yield " same => n,Return()"
    yield " same => n(yes),Set(GOSUB_RESULT=)"
    yield " same => n," + user_event(names.SCREENED, options.token, Result="accepted")
    yield " same => n,Return()"


def _told(options: DialplanOptions, stage: str, status: str) -> str:
    return user_event(names.ORDERED_EVENT, options.token, Stage=stage, Status=status)
