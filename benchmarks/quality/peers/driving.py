"""What the drivers share: read the rows, fit within a limit, sample, write rows and costs.

Runs inside a peer's environment: standard library and pandas only. A driver is called as

    drive_NAME.py TRAIN.parquet SYNTHETIC.parquet REPORT.json JOB

where JOB is JSON: {"class": ..., "parameters": {...}, "seed": 0, "threads": 2, "fit_limit": 3600}.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.quality.measure import cpu_seconds, peak_mb

Job = dict[str, Any]
#: Fits on rows and returns the function that draws as many rows as it is told.
Fit = Callable[[pd.DataFrame, Job], Callable[[int], pd.DataFrame]]


def drive(fit: Fit, package: str) -> None:
    """Run one fit and one sample; what is timed is the same as for our own models.

    Parameters
    ----------
    fit : callable
        Given the training rows and the job, fits and returns the function that samples.
    package : str
        Name of the distribution whose version the report carries.
    """
    source, target, report, text = sys.argv[1:]
    job: Job = json.loads(text)
    train = pd.read_parquet(source)
    _prepare(job)
    before = peak_mb()
    _start_limit(job["fit_limit"])
    wall, cpu = time.perf_counter(), cpu_seconds()
    sample = fit(train, job)
    costs = {
        "fit_seconds": time.perf_counter() - wall,
        "fit_cpu_seconds": cpu_seconds() - cpu,
        "loaded_peak_mb": before,
        "fit_peak_mb": peak_mb(),
    }
    signal.setitimer(signal.ITIMER_REAL, 0)
    wall, cpu = time.perf_counter(), cpu_seconds()
    synthetic = sample(len(train))
    seconds = time.perf_counter() - wall
    costs |= {
        "sample_seconds": seconds,
        "sample_cpu_seconds": cpu_seconds() - cpu,
        "sample_rows_per_second": len(synthetic) / seconds,
        "peak_mb": peak_mb(),
    }
    synthetic.to_parquet(target, index=False)
    versions = {package: importlib.metadata.version(package)}
    Path(report).write_text(json.dumps({"costs": costs, "versions": versions}))


def _prepare(job: Job) -> None:
    # Most peers have no seed of their own and draw from the global generators.
    random.seed(job["seed"])
    np.random.seed(job["seed"])  # noqa: NPY002  (the peers draw from it)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(job["seed"])
        torch.set_num_threads(job["threads"])


def _start_limit(seconds: float) -> None:
    """End the process when the fit takes longer; no library can catch this on the way."""

    def stop(*_: object) -> None:
        sys.stderr.write(f"\nnot finished after {seconds:g} seconds\n")
        sys.stderr.flush()
        os._exit(124)

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
