"""Differential privacy: what to ask for, what it costs, and what was spent.

>>> from synthgen.privacy import DPMarginals
>>> DPMarginals(epsilon=1.0).resolved_delta(n_rows=30_000)
1e-06
"""

from synthgen.dp.budget import DPEmbedding, DPMarginals
from synthgen.dp.errors import BudgetExceededError, PrivacyError, PrivacyWarning
from synthgen.dp.events import Event
from synthgen.dp.ledger import Ledger
from synthgen.dp.sgd_budget import DPSGD
from synthgen.dp.shared import SharedLedger
from synthgen.privacy.attacks.result import AttackResult
from synthgen.privacy.audit_report import AuditReport
from synthgen.privacy.audit_run import audit
from synthgen.privacy.mechanism import audit_mechanism, audit_one_run
from synthgen.privacy.mechanism_result import MechanismAudit
from synthgen.privacy.release import ReleaseReport, release_report
from synthgen.privacy.release_limits import ReleaseLimits

__all__ = [
    "DPSGD",
    "AttackResult",
    "AuditReport",
    "BudgetExceededError",
    "DPEmbedding",
    "DPMarginals",
    "Event",
    "Ledger",
    "MechanismAudit",
    "PrivacyError",
    "PrivacyWarning",
    "ReleaseLimits",
    "ReleaseReport",
    "SharedLedger",
    "audit",
    "audit_mechanism",
    "audit_one_run",
    "release_report",
]
