"""Scripted phones of the lab: desk phones that register, and the provider behind the trunk."""

import asyncio
import contextlib

from tests.lab import sip
from tests.lab.behaviours import (
    Behaviour,
    Ringing,
    answer,
    busy,
    decline,
    no_answer,
    not_found,
    refuse,
    silent,
    voicemail,
)
from tests.lab.call import PhoneCall
from tests.lab.errors import LabError
from tests.lab.party import Party

__all__ = [
    "Behaviour",
    "Phone",
    "PhoneCall",
    "Ringing",
    "Trunk",
    "answer",
    "busy",
    "decline",
    "no_answer",
    "not_found",
    "refuse",
    "silent",
    "voicemail",
]

_EXPIRES = 600
_REFRESH_SECONDS = 240.0
_REGISTER_SECONDS = 5.0


class Phone(Party):
    """A desk phone at 127.0.0.1; `behaviour` is used for each call that comes from now on."""

    def __init__(
        self,
        user: str,
        password: str,
        server: tuple[str, int],
        behaviour: Behaviour | None = None,
    ) -> None:
        """`server` is Asterisk's (host, SIP port); the default behaviour is `no_answer()`."""
        super().__init__(server, ("127.0.0.1", 0), user)
        self.password = password
        self.behaviour = behaviour or no_answer()
        self._registration = f"{sip.new_token()}@127.0.0.1"
        self._tag = sip.new_token(4)
        self._sequence = 0
        self._registered = False

    async def start(self) -> None:
        """Begin to listen and register; raises LabError when that is refused or unanswered."""
        await self.open()
        await self.register()
        self.socket.run(self._refresh())

    async def stop(self) -> None:
        """Hang up, unregister (1 s at most each) and close."""
        if self._registered:
            with contextlib.suppress(LabError, TimeoutError):
                await asyncio.wait_for(self.unregister(), 1.0)
        await super().stop()

    async def register(self) -> None:
        """Register, or register again after a restart of Asterisk; raises LabError."""
        await self._send_register(_EXPIRES)
        self._registered = True

    async def unregister(self) -> None:
        """Take the registration back; raises LabError."""
        self._registered = False
        await self._send_register(0)

    async def call(self, number: str) -> PhoneCall:
        """Call a number; returns at once, the call's waits tell how it goes."""
        caller = f"<sip:{self.user}@{self.server[0]}>"
        return await self.dial(number, caller, f"sip:{number}@{self.server[0]}:{self.server[1]}")

    def behaviour_for(self, _call: PhoneCall) -> Behaviour:
        """Return the phone's behaviour of this moment."""
        return self.behaviour

    def authorize(self, message: sip.Message, method: str, uri: str) -> tuple[str, str] | None:
        """Answer a challenge with the phone's password."""
        names = {401: ("www-authenticate", "Authorization"),
                 407: ("proxy-authenticate", "Proxy-Authorization")}  # fmt: skip
        if message.status not in names:
            return None
        asked, answered = names[message.status]
        challenge = message.get(asked)
        return answered, sip.digest_authorization(
            challenge, method, uri, user=self.user, password=self.password
        )

    async def _refresh(self) -> None:
        """Keep the registration while the phone runs."""
        while True:
            await asyncio.sleep(_REFRESH_SECONDS)
            if self._registered:
                with contextlib.suppress(LabError):
                    await self._send_register(_EXPIRES)

    async def _send_register(self, expires: int) -> None:
        host, port = self.server
        uri = f"sip:{host}:{port}"
        socket = self.socket
        authorization: list[tuple[str, str]] = []
        status = 0
        for _ in range(3):
            self._sequence += 1
            headers = [
                ("Via", socket.via("z9hG4bK" + sip.new_token())),
                ("Max-Forwards", "70"),
                ("From", f"<sip:{self.user}@{host}>;tag={self._tag}"),
                ("To", f"<sip:{self.user}@{host}>"),
                ("Call-ID", self._registration),
                ("CSeq", f"{self._sequence} REGISTER"),
                ("Contact", f"<sip:{self.user}@{socket.host}:{socket.port}>"),
                ("Expires", str(expires)),
                *authorization,
            ]
            data = sip.build(f"REGISTER {uri} SIP/2.0", headers)
            try:
                final = await socket.request(data, timeout=_REGISTER_SECONDS)
            except (TimeoutError, ConnectionError) as error:
                raise LabError(f"phone {self.user}: no answer to REGISTER: {error}") from error
            status = final.status
            challenge = self.authorize(final, "REGISTER", uri)
            if challenge is None:
                break
            authorization = [challenge]
        if status != 200:
            raise LabError(f"phone {self.user}: registration refused with {status}")


class Trunk(Party):
    """The provider: calls the company's numbers, and owns the mobiles the company calls.

    `mobiles` maps digits without "+" to behaviours; other numbers get `default`, `not_found()`.
    """

    def __init__(self, server: tuple[str, int], local: tuple[str, int]) -> None:
        """`server` is Asterisk's (host, SIP port), `local` its (trunk_ip, trunk_port)."""
        super().__init__(server, local, "trunk")
        self.mobiles: dict[str, Behaviour] = {}
        self.default = not_found()

    async def call(
        self,
        did: str,
        number: str = "+79001112233",
        name: str | None = None,
        from_header: str | None = None,
    ) -> PhoneCall:
        """Call the company's number `did` as `number`; returns at once.

        `from_header` replaces the whole From value, unchecked, for hostile callers.
        """
        caller = from_header
        if caller is None:
            shown = f"{sip.quoted(name)} " if name else ""
            caller = f"{shown}<sip:{number}@{self._local[0]}>"
        return await self.dial(did, caller, f"sip:{did}@{self.server[0]}:{self.server[1]}")

    def behaviour_for(self, call: PhoneCall) -> Behaviour:
        """Return the behaviour of the mobile that was dialled."""
        return self.mobiles.get(call.dialled.removeprefix("+"), self.default)
