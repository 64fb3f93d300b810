"""Short AMI sessions for the command line and jobs: log in, ask, log off (asterisk-ami).

Never a listener: that is `client`. Values are checked by `actions` before they are sent.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from asterisk.ami import AMIClient, SimpleAction

from telephony.ami import actions
from telephony.ami.actions import Fields
from telephony.ami.client import AmiAddress, AmiError, LoginRefused


class OneShot:
    """An open session; `ask` as often as needed."""

    def __init__(self, client: AMIClient) -> None:
        self._client = client

    def ask(self, fields: Fields) -> dict[str, str]:
        """Return the answer's headers, names in lower case. Raises AmiError, BadValue."""
        (_, action), *rest = actions.checked((*fields, ("ActionID", actions.new_action_id())))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                answer = self._client.send_action(SimpleAction(action, **dict(rest))).response
        except OSError as error:
            raise AmiError(f"the connection broke: {error}") from None
        if answer is None:
            raise AmiError(f"no answer to {action}: outcome unknown")
        headers = {str(key).lower(): str(value) for key, value in answer.keys.items()}
        return {**headers, "response": str(answer.status)}


@contextmanager
def session(address: AmiAddress) -> Iterator[OneShot]:
    """Log in for the length of the block. Raises AmiError, LoginRefused."""
    client = AMIClient(
        address=address.host, port=address.port, timeout=address.answer_timeout, buffer_size=65536
    )
    try:
        client.connect()
    except OSError as error:
        raise AmiError(
            f"cannot connect to {address.host}:{address.port}: {error.strerror or error}"
        ) from None
    opened = OneShot(client)
    try:
        answer = opened.ask(actions.login(address.user, address.secret))
        if answer["response"] != "Success":
            raise LoginRefused(answer.get("message", "refused"))
        yield opened
        opened.ask(actions.logoff())
    finally:
        client.disconnect()
