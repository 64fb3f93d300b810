"""A dialplan with the shape of FreePBX's: contexts, names and what they set, not its code."""

from __future__ import annotations

from telephony.asterisk.dialplan import dialplan
from telephony.asterisk.freepbx import DESTINATION, INCLUDES, for_freepbx
from telephony.asterisk.lines import DialplanOptions, Fallback
from telephony.asterisk.manager import ManagerOptions, manager
from tests.asterisk.office import DID, SECRET, TOKEN

# Inbound routes set what the real ones set before they go to their destination. The queue of
# FreePBX is an extension of ext-queues; here 104 rings in its place.
_EXTENSIONS = f"""\
[general]
#include extensions_custom.conf

[globals]
TRANSFER_CONTEXT=from-internal-xfer

[from-trunk]
include => from-pstn

[from-pstn]
include => from-pstn-custom
include => ext-did

[from-pstn-custom]
exten => 0000000000,1,Hangup()

[ext-did]
exten => _X.,1,Goto(route,${{EXTEN}},1)
exten => _+X.,1,Goto(route,${{EXTEN}},1)

[route]
exten => _[+0-9].,1,Set(__DIRECTION=INBOUND)
 same => n,Gosub(sub-record-check,s,1(in,${{EXTEN}},dontcare))
 same => n,Set(__FROM_DID=${{EXTEN}})
 same => n,Set(CDR(did)=${{FROM_DID}})
 same => n,ExecIf($["${{CALLERID(name)}}" = ""]?Set(CALLERID(name)=${{CALLERID(num)}}))
 same => n,Set(CHANNEL(musicclass)=default)
 same => n,Set(__MOHCLASS=default)
 same => n,Set(__CALLINGNAMEPRES_SV=${{CALLERID(name-pres)}})
 same => n(dest-ext),Goto({DESTINATION})

[sub-record-check]
exten => s,1,Set(__REC_STATUS=INITIALIZED)
 same => n,Return()

[internal]
include => from-internal

[from-internal]
include => from-internal-xfer
include => bad-number

[from-internal-xfer]
include => ext-local
include => ext-queues
include => outbound-allroutes

[bad-number]
exten => _X.,1,Congestion(5)

[ext-local]
exten => _10[1-9],1,Gosub(macro-exten-vm,s,1(novm,${{EXTEN}}))
 same => n,Hangup()

[macro-exten-vm]
exten => s,1,Set(__PICKUPMARK=${{ARG2}})
 same => n,GotoIf($["${{DB(DND/${{ARG2}})}}" = "YES"]?dnd)
 same => n,Gosub(macro-dial-one,s,1(20,${{ARG2}}))
 same => n,Return()
 same => n(dnd),Set(__LAB_DND=${{ARG2}})
 same => n,Dial(${{PJSIP_DIAL_CONTACTS(102)}},10)
 same => n,Return()

[macro-dial-one]
exten => s,1,Dial(${{PJSIP_DIAL_CONTACTS(${{ARG2}})}},${{ARG1}},HhTtr)
 same => n,Return()

[ext-queues]
exten => 400,1,Answer()
 same => n,Set(__NODEST=400)
 same => n,Dial(${{PJSIP_DIAL_CONTACTS(104)}},20)
 same => n,Hangup()

[outbound-allroutes]
exten => _7XXXXXXXXXX,1,Gosub(macro-dialout-trunk,s,1(1,${{EXTEN}},))
 same => n,Hangup()

[macro-dialout-trunk]
exten => s,1,Set(CALLERID(num)={DID})
 same => n,Dial(PJSIP/${{ARG2}}@trunk,300,T)
 same => n,Return()
"""


def freepbx_files(*, routes: bool = False) -> dict[str, str]:
    """Return the PBX's files with ours included as on FreePBX.

    `routes`: mobiles go through the outbound routes, not straight to the trunk.
    """
    options = DialplanOptions(
        TOKEN,
        Fallback("queue", "400"),
        mobile_trunk=None if routes else "trunk",
        mobile_context="from-internal" if routes else None,
    )
    return {
        "extensions.conf": _EXTENSIONS,
        "extensions_custom.conf": INCLUDES["extensions_custom.conf"] + "\n",
        "dutyline_extensions.conf": dialplan(for_freepbx(options)),
        "dutyline_manager.conf": manager(ManagerOptions("dutyline", SECRET, (22, 10))),
    }
