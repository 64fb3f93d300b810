"""Any history of callbacks gives in the store what it gives in the model, on both databases."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Engine

from tests.databases.callback_store import Store
from tests.property.callback_machine import Callbacks, World


@pytest.mark.timeout(300)
def test_any_history_gives_what_the_model_says(shared_engine: Engine) -> None:
    class Stored(Callbacks):
        def open_world(self) -> World:
            return Store(shared_engine, self.model.setup)

    run_state_machine_as_test(
        Stored,
        settings=settings(
            max_examples=20,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
