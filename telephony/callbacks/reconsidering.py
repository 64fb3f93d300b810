"""Cases that wait are looked at again when the set-up changed: by other rules they may go on."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Engine

from telephony.callbacks.standing import KnownSetup, standing_of
from telephony.domain.callback.trying import reconsidered
from telephony.domain.callback.verdicts import verdict
from telephony.store.cases import save_case, waiting_cases
from telephony.store.directory import current_version
from telephony.store.engine import reading, writing
from telephony.store.tables import in_turn

_FEW = 50  # at a time, so that calls that end meanwhile do not wait for it


class Reconsidering:
    """Goes through the open cases once after each change of the set-up, and once at the start."""

    def __init__(self, engine: Engine, country: str) -> None:
        self._engine = engine
        self._country = country
        self._known = KnownSetup()
        self._version = -1  # all cases were looked at by this one
        self._under_way = -1
        self._after = 0  # … and by the one under way those up to this id

    def step(self, now: datetime) -> None:
        """Look at some cases, if there are any left to look at."""
        with reading(self._engine) as session:
            version = current_version(session).setup_version
        if version == self._version:
            return
        if version != self._under_way:
            self._under_way, self._after = version, 0
        with writing(self._engine) as session:
            in_turn(session)
            setup = self._known.read(session)
            cases = waiting_cases(session, self._after, _FEW)
            for case in cases:
                standing = standing_of(session, setup, self._country, case, now)
                # What passes by itself is seen to when the case falls due.
                lasting = replace(standing, stopped=False, on_the_line=False)
                after = reconsidered(case, verdict(case, setup.callbacks, lasting), now)
                save_case(session, case, after, now)
        if len(cases) < _FEW:
            self._version = version
        else:
            self._after = cases[-1].id
