"""The quality benchmark: run.py, report.py, check.py; see ../README.md."""
