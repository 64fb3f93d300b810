"""What lies on the PBX and is only named: trunks and mailboxes, in and out of a YAML file.

trunks:
  - {endpoint: city, template: "8{national}"}
mailboxes:
  - {number: "1", name: Sales, email: sales@example.com, pin: "7391"}
"""

from __future__ import annotations

import re

import yaml

from telephony.configfile.mistakes import Mistake
from telephony.configfile.nodes import Entry, Nodes
from telephony.domain.numbers import ENDPOINT, is_template
from telephony.domain.setup import Mailbox, Trunk

MAILBOX = re.compile(r"[0-9]{1,10}", re.ASCII)
# Neither may end a line of voicemail.conf, nor its field.
_NAME = re.compile(r"[^,;|=\[\]\\]{1,60}")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{}~-]{1,64}@[A-Za-z0-9.-]{1,190}", re.ASCII)
_PIN = re.compile(r"[0-9]{4,10}", re.ASCII)


class PbxNodes(Nodes):
    """Reads trunks and mailboxes."""

    def trunks(self, node: yaml.Node | None) -> dict[str, Trunk]:
        """Return the trunks by endpoint."""
        found: dict[str, Trunk] = {}
        for path, item in self.items(node, "trunks"):
            parts = self.mapping(item, path, ("endpoint",), ("template",))
            where = f"{path}.endpoint"
            endpoint = self.matching(parts.get("endpoint"), where, ENDPOINT, Mistake.ENDPOINT)
            if endpoint and endpoint in found:
                self.wrong(item, where, Mistake.TWICE, endpoint)
            template = "{digits}"
            if "template" in parts:
                template = self.text(parts["template"], f"{path}.template")
                if template and not is_template(template):
                    self.wrong(parts["template"], f"{path}.template", Mistake.TEMPLATE)
            found.setdefault(endpoint, Trunk(endpoint, template))
        return found

    def mailboxes(self, node: yaml.Node | None) -> dict[str, Mailbox]:
        """Return the mailboxes by number."""
        found: dict[str, Mailbox] = {}
        for path, item in self.items(node, "mailboxes"):
            parts = self.mapping(item, path, ("number", "name"), ("email", "pin"))
            number, name, email, pin = (
                self.matching(parts[key], f"{path}.{key}", form, mistake) if key in parts else ""
                for key, form, mistake in (
                    ("number", MAILBOX, Mistake.MAILBOX),
                    ("name", _NAME, Mistake.MAILBOX_NAME),
                    ("email", _EMAIL, Mistake.EMAIL),
                    ("pin", _PIN, Mistake.PIN),
                )
            )
            if number and number in found:
                self.wrong(item, f"{path}.number", Mistake.TWICE, number)
            found.setdefault(number, Mailbox(number, name, email, pin))
        return found


def trunk_entry(each: Trunk) -> Entry:
    """Return a trunk."""
    return {"endpoint": each.endpoint, "template": each.template}


def mailbox_entry(each: Mailbox) -> Entry:
    """Return a mailbox."""
    more = {key: value for key in ("email", "pin") if (value := getattr(each, key))}
    return {"number": each.number, "name": each.name, **more}
