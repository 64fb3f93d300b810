"""Who gets a call: what is asked, what is answered, and the function that decides."""

from telephony.domain.routing.decide import NO_KEY, decide
from telephony.domain.routing.plan import (
    Checked,
    Decision,
    Kind,
    Plan,
    Question,
    Situation,
    Step,
    Target,
)
from telephony.domain.routing.reasons import Reason, Rule

__all__ = [
    "NO_KEY",
    "Checked",
    "Decision",
    "Kind",
    "Plan",
    "Question",
    "Reason",
    "Rule",
    "Situation",
    "Step",
    "Target",
    "decide",
]
