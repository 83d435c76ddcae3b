"""Differential privacy: what to ask for, what it costs, and what was spent.

>>> from synthgen.privacy import DPMarginals
>>> DPMarginals(epsilon=1.0).resolved_delta(n_rows=30_000)
1e-06
"""

from synthgen.dp.budget import DPMarginals
from synthgen.dp.errors import BudgetExceededError, PrivacyError, PrivacyWarning
from synthgen.dp.events import Event
from synthgen.dp.ledger import Ledger
from synthgen.dp.shared import SharedLedger

__all__ = [
    "BudgetExceededError",
    "DPMarginals",
    "Event",
    "Ledger",
    "PrivacyError",
    "PrivacyWarning",
    "SharedLedger",
]
