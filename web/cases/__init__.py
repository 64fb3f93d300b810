"""Missed calls: the list of cases, one case, what people do with them, callbacks that are asked
for, their figures, and the switch that stops all callbacks.
"""

from web.cases import actions, figures, stopping, wishes
from web.cases.views import blueprint

__all__ = ["actions", "blueprint", "figures", "stopping", "wishes"]
