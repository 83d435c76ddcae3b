"""The quality report: all metrics of one table, as frame, JSON or one HTML page."""

from synthgen.evaluate.report.quality import QualityReport, quality_report

__all__ = ["QualityReport", "quality_report"]
