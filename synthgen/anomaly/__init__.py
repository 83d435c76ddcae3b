"""Outlier detection by generators and critics, always beside detectors that are hard to beat."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from synthgen.anomaly.detector import GANOutlierDetector as GANOutlierDetector
    from synthgen.anomaly.planted import planted_anomalies as planted_anomalies
    from synthgen.anomaly.report import AnomalyReport as AnomalyReport
    from synthgen.anomaly.report import anomaly_report as anomaly_report

#: Public name -> module.
_PUBLIC: Final = {
    "AnomalyReport": "report",
    "GANOutlierDetector": "detector",
    "anomaly_report": "report",
    "planted_anomalies": "planted",
}

__all__ = ["AnomalyReport", "GANOutlierDetector", "anomaly_report", "planted_anomalies"]


def __getattr__(name: str) -> object:
    """Import a public name on first use (PEP 562)."""
    if name not in _PUBLIC:
        raise AttributeError(f"module 'synthgen.anomaly' has no attribute {name!r}")
    value = getattr(import_module(f"synthgen.anomaly.{_PUBLIC[name]}"), name)
    globals()[name] = value
    return value
