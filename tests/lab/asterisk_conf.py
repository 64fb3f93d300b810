"""The lab's Asterisk configuration: pure functions from ports and names to files."""

import resource
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.asterisk_tree import AsteriskTree

EMPTY = (
    "acl", "ccss", "codecs", "dsp", "pjsip_notify", "queuerules", "sorcery", "stasis", "udptl",
)  # fmt: skip
FOLDERS = ("etc", "var", "db", "keys", "agi", "spool", "run", "log", "cache")


@dataclass
class Endpoint:
    """A desk phone's account; `max_contacts` phones may register with it at once."""

    name: str
    password: str
    max_contacts: int = 2


@dataclass(frozen=True)
class Network:
    """Addresses of one Asterisk: its own ports on 127.0.0.1 and the provider's side."""

    sip_port: int
    ami_port: int
    trunk_ip: str
    trunk_port: int


def configuration(
    tree: AsteriskTree,
    home: Path,
    net: Network,
    *,
    endpoints: Sequence[Endpoint],
    modules: Sequence[str],
    full_log: bool,
) -> dict[str, str]:
    """Return every file of etc/ by name; `home` is the server's own folder."""
    files = {f"{name}.conf": "" for name in EMPTY}
    files |= _FIXED
    files["asterisk.conf"] = _asterisk(tree, home)
    files["modules.conf"] = "[modules]\nautoload = no\n" + "".join(
        f"load = {name}.so\n" for name in modules
    )
    files["logger.conf"] = _logger(full_log)
    files["manager.conf"] = _manager(net.ami_port)
    files["pjsip.conf"] = _pjsip(net, endpoints)
    music = tree.data / "moh"
    if not music.is_dir():
        music = tree.data / "sounds" / "en"  # prompts are music enough for a test
    files["musiconhold.conf"] = f"[default]\nmode = files\ndirectory = {music}\n"
    files["extensions.conf"] = _extensions()
    return files


def _sections(sections: Sequence[tuple[str, Mapping[str, object]]]) -> str:
    """Format an ini-like file; a name may come more than once."""
    return "\n".join(
        f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())
        for name, values in sections
    )


def _asterisk(tree: AsteriskTree, home: Path) -> str:
    """asterisk.conf: every folder is ours, programs and sounds are the tree's."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = 16384 if hard == resource.RLIM_INFINITY else min(hard, 16384)
    folders = {
        "astetcdir": home / "etc",
        "astmoddir": tree.modules,
        "astvarlibdir": home / "var",
        "astdbdir": home / "db",
        "astkeydir": home / "keys",
        "astdatadir": tree.data,
        "astagidir": home / "agi",
        "astspooldir": home / "spool",
        "astrundir": home / "run",
        "astlogdir": home / "log",
        "astcachedir": home / "cache",
        "astsbindir": Path(tree.argv[-1]).parent,
    }
    lines = "".join(f"{key} => {value}\n" for key, value in folders.items())
    options = _sections(
        [
            (
                "options",
                {
                    "nocolor": "yes",
                    "documentation_language": "en_US",
                    "systemname": "dutyline-lab",
                    "transmit_silence": "no",
                    "hideconnect": "yes",
                    "live_dangerously": "no",
                    "maxfiles": most,
                },
            )
        ]
    )
    return f"[directories]\n{lines}\n{options}"


def _logger(full_log: bool) -> str:
    """logger.conf: log/messages, and log/full with verbose and debug when asked."""
    text = "[general]\ndateformat = %F %T.%3q\n\n[logfiles]\nmessages => notice,warning,error\n"
    return text + ("full => notice,warning,error,verbose(5),debug\n" if full_log else "")


def _manager(port: int) -> str:
    """manager.conf: the user lab/labsecret may do all, from this machine only."""
    general = {
        "enabled": "yes",
        "bindaddr": "127.0.0.1",
        "port": port,
        "allowmultiplelogin": "yes",
        "timestampevents": "yes",
        "displayconnects": "no",
        "authtimeout": 5,
        "authlimit": 50,
    }
    lab = {
        "secret": "labsecret",
        "deny": "0.0.0.0/0.0.0.0",
        "permit": "127.0.0.0/255.0.0.0",
        "read": "all",
        "write": "all",
        "writetimeout": 5000,
    }
    text = _sections([("general", general), ("lab", lab)])
    return text + "\n#tryinclude dutyline_manager.conf\n"


def _pjsip(net: Network, endpoints: Sequence[Endpoint]) -> str:
    """pjsip.conf: a transport, the provider's trunk, the desk phones."""
    media: dict[str, object] = {
        "disallow": "all",
        "allow": "alaw,ulaw",
        "direct_media": "no",
        "dtmf_mode": "rfc4733",
        "media_address": "127.0.0.1",
        "bind_rtp_to_media_address": "yes",
    }
    system = {
        "type": "system",
        "threadpool_initial_size": 5,
        "threadpool_auto_increment": 5,
        "threadpool_max_size": 50,
    }
    order = {
        "type": "global",
        "endpoint_identifier_order": "ip,username",
        "user_agent": "dutyline-lab",
    }
    udp = {"type": "transport", "protocol": "udp", "bind": f"127.0.0.1:{net.sip_port}"}
    trunk = {
        "type": "endpoint",
        "context": "from-trunk",
        **media,
        "aors": "trunk",
        "identify_by": "ip",
        "allow_transfer": "no",
        "send_connected_line": "no",
        "trust_id_inbound": "yes",
        "send_pai": "yes",
    }
    contact = f"sip:{net.trunk_ip}:{net.trunk_port}"
    sections: list[tuple[str, Mapping[str, object]]] = [
        ("system", system),
        ("global", order),
        ("udp", udp),
        ("trunk", trunk),
        ("trunk", {"type": "aor", "contact": contact}),
        ("trunk", {"type": "identify", "endpoint": "trunk", "match": net.trunk_ip}),
    ]
    for one in endpoints:
        desk = {
            "type": "endpoint",
            "context": "internal",
            **media,
            "aors": one.name,
            "auth": one.name,
            "identify_by": "username",
            "allow_transfer": "yes",
            "callerid": f'"Operator {one.name}" <{one.name}>',
            "call_group": "1",
            "pickup_group": "1",
        }
        auth = {"type": "auth", "username": one.name, "password": one.password}
        aor = {
            "type": "aor",
            "max_contacts": one.max_contacts,
            "remove_existing": "yes",
            "qualify_frequency": 0,
        }
        sections += [(one.name, desk), (one.name, auth), (one.name, aor)]
    return _sections(sections)


def _extensions() -> str:
    """extensions.conf: numbers only, one pattern for each length, so no letters get through."""
    incoming = "".join(
        f"exten => _{'X' * length},1,Goto(dutyline-incoming,${{EXTEN}},1)\n"
        for length in range(3, 16)
    )
    outgoing = "".join(
        f"exten => _{'X' * length},1,Dial(PJSIP/${{EXTEN}}@trunk,30,g)\n"
        " same => n,Hangup(${HANGUPCAUSE})\n"
        for length in range(4, 16)
    )
    return (
        "[general]\n\n#tryinclude dutyline_extensions.conf\n\n"
        f"[from-trunk]\n{incoming}\n"
        "[internal]\n"
        # *8 alone is Asterisk's own: any phone of the group.
        "exten => _*8XXX,1,PickupChan(PJSIP/${EXTEN:2})\n"
        " same => n,Hangup()\n"
        "include => parkedcalls\n"
        "include => dutyline-features\n"
        "exten => _1XX,1,Set(LAB_PHONES=${PJSIP_DIAL_CONTACTS(${EXTEN})})\n"
        # No contact: dial the endpoint, which fails as an unregistered phone does.
        ' same => n,ExecIf($["${LAB_PHONES}" = ""]?Set(LAB_PHONES=PJSIP/${EXTEN}))\n'
        " same => n,Dial(${LAB_PHONES},20,g)\n"
        " same => n,Hangup(${HANGUPCAUSE})\n"
        f"{outgoing}"
    )


_FIXED = {
    "rtp.conf": _sections(
        [("general", {"rtpstart": 10000, "rtpend": 11999, "strictrtp": "no", "icesupport": "no"})]
    ),
    "pjproject.conf": _sections([("startup", {"type": "startup", "log_level": 2})]),
    "http.conf": _sections([("general", {"enabled": "no"})]),
    "cdr.conf": _sections(
        [
            ("general", {"enable": "yes", "unanswered": "yes", "congestion": "yes"}),
            (
                "csv",
                {
                    "usegmtime": "yes",
                    "loguniqueid": "yes",
                    "loguserfield": "yes",
                    "accountlogs": "no",
                    "newcdrcolumns": "yes",
                },
            ),
        ]
    ),
    "cel.conf": _sections([("general", {"enable": "no"})]),
    "queues.conf": _sections(
        [
            ("general", {}),
            (
                "duty",
                {
                    "strategy": "ringall",
                    "timeout": 15,
                    "retry": 1,
                    "joinempty": "yes",
                    "setinterfacevar": "yes",
                    "setqueueentryvar": "yes",
                    "musicclass": "default",
                },
            ),
        ]
    )
    + "\n#tryinclude dutyline_queues.conf\n",
    "features.conf": "[general]\n\n[featuremap]\nblindxfer = ##\natxfer = *2\n",
    "res_parking.conf": _sections(
        [
            ("general", {}),
            (
                "default",
                {
                    "parkext": 700,
                    "parkpos": "701-720",
                    "context": "parkedcalls",
                    "parkingtime": 2,
                    "comebackdialtime": 10,
                },
            ),
        ]
    ),
    "voicemail.conf": _sections([("general", {"format": "wav"}), ("default", {})]),
    "indications.conf": _sections(
        [
            ("general", {"country": "us"}),
            (
                "us",
                {
                    "description": "US",
                    "ringcadence": "2000,4000",
                    "dial": "350+440",
                    "busy": "480+620/500,0/500",
                    "ring": "440+480/2000,0/4000",
                    "congestion": "480+620/250,0/250",
                    "callwaiting": "440/300,0/10000",
                    "record": "1400/500,0/15000",
                },
            ),
        ]
    ),
}
