"""Speed and memory: sampling rate, constant memory, cost of preparation, wide categories.

Each measurement runs in a process of its own, so that its peak memory is its own.

    python -m benchmarks.speed.run [--model MODEL_DIR] [--only sampling wide ...]
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.cells import run_python


def sampling(model: str) -> dict[str, Any]:
    """Rows per second into a frame: best and median of five calls after one to warm up."""
    from synthgen import GANSynthesizer

    return _rates(GANSynthesizer.load(model))


def sampling_by_weights(model: str) -> dict[str, Any]:
    """The same of a model that is fitted with ``refine="weights"``."""
    del model
    from synthgen import GANSynthesizer
    from synthgen.data.datasets import load_adult

    return _rates(GANSynthesizer(refine="weights", random_state=0).fit(load_adult("train")))


def _rates(synth: Any) -> dict[str, Any]:
    n = 300_000
    synth.sample(20_000, random_state=0)
    rates = []
    for seed in range(5):
        started = time.perf_counter()
        rows = synth.sample(n, random_state=seed)
        rates.append(n / (time.perf_counter() - started))
        assert rows.shape == (n, len(synth.schema_))
    return {"rows_per_s_best": int(max(rates)), "rows_per_s_median": int(np.median(rates))}


def memory(model: str) -> dict[str, Any]:
    """Peak memory after 1, 4 and 10 million rows of ``sample_iter``."""
    from synthgen import GANSynthesizer

    synth = GANSynthesizer.load(model)
    done, peaks = 0, {}
    for piece in synth.sample_iter(10_000_000, random_state=0):
        done += len(piece)
        for millions in (1, 4, 10):
            if done >= millions * 1_000_000 and f"peak_mb_{millions}m" not in peaks:
                peaks[f"peak_mb_{millions}m"] = _peak()
    return peaks


def files(model: str) -> dict[str, Any]:
    """Peak memory and rate of ``sample_to`` for two million rows in four files."""
    from synthgen import GANSynthesizer

    synth = GANSynthesizer.load(model)
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        synth.sample_to(folder, 2_000_000, rows_per_file=500_000, random_state=0)
        seconds = time.perf_counter() - started
    return {"rows_per_s": int(2_000_000 / seconds), "peak_mb": _peak()}


def preparation(model: str) -> dict[str, Any]:
    """Seconds for schema and encoding of Adult, to be set beside the fit's seconds."""
    del model
    from synthgen import Schema
    from synthgen.data.datasets import load_adult
    from synthgen.encode.base import Resolution
    from synthgen.encode.table import TableEncoder

    train = load_adult("train")
    Schema.infer(train.head(100))
    started = time.perf_counter()
    schema = Schema.infer(train)
    inferred = time.perf_counter()
    encoder = TableEncoder.fit(train, schema, Resolution.for_table(*train.shape))
    encoder.transform(train, np.random.default_rng(0))
    encoded = time.perf_counter()
    return {"schema_s": round(inferred - started, 3), "encode_s": round(encoded - inferred, 3)}


def wide(model: str) -> dict[str, Any]:
    """Fit and sample five columns of 20,000 categories and one number, 200,000 rows."""
    del model
    from synthgen import GANSynthesizer, Schema

    rng = np.random.default_rng(0)
    n = 200_000
    columns: dict[str, Any] = {}
    shared = rng.zipf(1.3, n)
    for k in range(5):
        code = (shared * (k + 1) + rng.integers(0, 20_000, n)) % 20_000
        columns[f"c{k}"] = np.char.add(f"v{k}_", code.astype(str))
    columns["x"] = rng.normal(size=n) + shared % 7
    frame = pd.DataFrame(columns)
    schema = Schema.infer(frame)
    for k in range(5):
        schema = schema.with_column(f"c{k}", kind="categorical")
    started = time.perf_counter()
    synth = GANSynthesizer(schema=schema, max_minutes=2, random_state=0).fit(frame)
    fitted = time.perf_counter()
    rows = synth.sample(50_000, random_state=0)
    return {
        "fit_s": round(fitted - started, 1),
        "peak_mb": _peak(),
        "distinct": int(rows["c0"].nunique()),
        "steps": synth.n_steps_,
    }


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


MEASUREMENTS: dict[str, Callable[[str], dict[str, Any]]] = {
    "sampling": sampling,
    "sampling_by_weights": sampling_by_weights,
    "memory": memory,
    "files": files,
    "preparation": preparation,
    "wide": wide,
}


def main() -> None:
    """Run the measurements asked for, each in a fresh process, and print one JSON line each."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="model of Adult; fitted with default settings if absent")
    parser.add_argument("--only", nargs="*", choices=list(MEASUREMENTS), default=list(MEASUREMENTS))
    parser.add_argument("--here", choices=list(MEASUREMENTS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.here:
        print(json.dumps(MEASUREMENTS[arguments.here](arguments.model)))
        return
    with tempfile.TemporaryDirectory() as folder:
        model = arguments.model or str(Path(folder) / "model")
        if not Path(model).exists():
            _fit(model)
        print(json.dumps({"machine": platform.processor() or platform.machine()}))
        for name in arguments.only:
            command = ["-m", "benchmarks.speed.run", "--here", name, "--model", model]
            run = run_python(command)
            run.check_returncode()
            print(json.dumps({"measurement": name, **json.loads(run.stdout.splitlines()[-1])}))


def _fit(model: str) -> None:
    from synthgen import GANSynthesizer
    from synthgen.data.datasets import load_adult

    GANSynthesizer(random_state=0).fit(load_adult("train")).save(model)


if __name__ == "__main__":
    main()
