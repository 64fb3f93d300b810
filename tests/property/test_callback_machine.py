"""Any history of missed calls, tries and people: what must never happen does not."""

from __future__ import annotations

from hypothesis import settings

from tests.property.callback_machine import Callbacks

TestCallbacks = Callbacks.TestCase
TestCallbacks.settings = settings(max_examples=20, stateful_step_count=40, deadline=None)
