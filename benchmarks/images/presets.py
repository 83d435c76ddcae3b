"""Train every preset on 8 x 8 digits for a minute at most, and write what became of each.

    python benchmarks/images/presets.py                    # run what is missing, write the table
    python benchmarks/images/presets.py --preset gan wgan --seconds 20

A preset holds if it at least halves its own Frechet distance before training, makes all ten digits
and did not come to grief on the way. Those that fail are in the table as well, which the
documentation includes.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np

from benchmarks.images.cell import classes_seen, fit, has_diverged, judges
from benchmarks.images.data import Split, load
from benchmarks.images.run import RESULTS
from benchmarks.quality.results import Cell, append_result, figure, key, read_results
from synthgen.errors import TrainingError
from synthgen.evaluate import images as metrics
from synthgen.models.image import ImageGANSynthesizer
from synthgen.models.image_presets import IMAGE_PRESETS

#: The table as the documentation includes it.
PAGE = Path(__file__).resolve().parents[2] / "docs" / "user_guide" / "presets_table.md"
#: Name of these cells among the results.
DATA = "digits-presets"
_DIGITS = {"source": "digits", "train": 1400}
_SAMPLE = 2_000
#: By what factor training must bring the distance down.
_HALVED = 2.0
#: Processor time of each fit.
_SECONDS = 45.0


def untrained(name: str, split: Split, seed: int) -> np.ndarray:
    """Return images of a preset whose weights are as they were drawn, but for settled norms."""
    recipe = IMAGE_PRESETS[name].replace(generator_rate=1e-12, critic_rate=1e-12)
    synth = ImageGANSynthesizer(preset=recipe, max_steps=1, device="cpu", random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        synth.fit(split.images, split.labels)
    return np.asarray(synth.sample(_SAMPLE, random_state=seed))


def run_preset(cell: Cell, split: Split, extractor: metrics.Extractor) -> Cell:
    """Return the line of one preset."""
    name, seed = cell["model"], cell["seed"]

    def distance(images: np.ndarray) -> float | None:
        return metrics.frechet(
            split.images, images, holdout=split.holdout, extractor=extractor, few="shrink"
        ).value

    scores: dict[str, Any] = {"fd_untrained": distance(untrained(name, split, seed))}
    try:
        synth, costs = fit(split, {"preset": name}, cell, cell["parameters"]["seconds"])
    except TrainingError as error:
        return cell | {"scores": scores | {"diverged": 1.0}, "costs": {}, "note": str(error)}
    images = np.asarray(synth.sample(_SAMPLE, random_state=seed))
    history = synth.history_.to_dict("records")
    last = history[-1]
    scores |= {
        "fd": distance(images),
        "class_coverage": classes_seen(extractor, images, split.labels),
        "diversity": float(last["diversity"]),
        "regress": float(last["distance"] / min(row["distance"] for row in history)),
        "diverged": float(has_diverged(history)),
    }
    return cell | {"scores": scores, "costs": costs}


def verdict(cell: Cell) -> str:
    """Say whether a preset holds, and if not why not."""
    if "error" in cell:
        return f"**fails**: {cell['error']}"
    before, after = figure(cell, "fd_untrained"), figure(cell, "fd")
    reasons = []
    if after is None or before is None:
        reasons.append("training ended without a result")
    elif before < _HALVED * after:
        reasons.append("distance not halved")
    if (figure(cell, "class_coverage") or 0.0) < 1.0:
        reasons.append("digits are missing")
    if figure(cell, "diverged"):
        reasons.append("collapsed or went astray")
    return "**fails**: " + ", ".join(reasons) if reasons else "holds"


def table(cells: list[Cell]) -> str:
    """Return the Markdown table, the best preset first."""
    heads = ("preset", "FD untrained", "FD trained", "times better", "digits made", "diversity",
             "last / best", "steps", "CPU s", "verdict")  # fmt: skip
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]

    def worth(cell: Cell) -> float:
        found = figure(cell, "fd")
        return float("inf") if found is None else found

    for cell in sorted(cells, key=worth):
        before, after = figure(cell, "fd_untrained"), figure(cell, "fd")
        ratio = before / max(after, 1e-9) if before is not None and after is not None else None
        covered = figure(cell, "class_coverage")
        shown = (
            (before, ".1f"), (after, ".2f"), (ratio, ".1f"),
            (None if covered is None else 10 * covered, ".0f"),
            (figure(cell, "diversity"), ".2f"), (figure(cell, "regress"), ".2f"),
            (figure(cell, "steps"), ".0f"), (figure(cell, "fit_cpu_seconds"), ".0f"),
        )  # fmt: skip
        texts = ["n/a" if value is None else format(value, how) for value, how in shown]
        lines.append("| " + " | ".join([cell["model"], *texts, verdict(cell)]) + " |")
    return "\n".join(lines)


def chosen(cells: list[Cell], seed: int = 0, seconds: float = _SECONDS) -> list[Cell]:
    """Return the results of presets that are still there, at one seed and budget."""
    return [
        cell
        for cell in cells
        if cell["data"] == DATA
        and cell["model"] in IMAGE_PRESETS
        and cell["seed"] == seed
        and cell["parameters"] == {"seconds": seconds}
    ]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", nargs="+", default=list(IMAGE_PRESETS), choices=IMAGE_PRESETS)
    parser.add_argument("--seconds", type=float, default=_SECONDS, help="processor time of a fit")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--table", action="store_true", help="print the table of what is there")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    logging.disable(logging.WARNING)
    wanted = [
        {"data": DATA, "model": name, "seed": options.seed, "threads": 1,
         "parameters": {"seconds": options.seconds}}
        for name in options.preset
    ]  # fmt: skip
    there = {key(cell) for cell in read_results(options.results)} if not options.again else set()
    missing = [] if options.table else [cell for cell in wanted if key(cell) not in there]
    if missing:
        import torch

        torch.set_num_threads(1)
        split = load(_DIGITS, options.seed)
        extractor = judges(split)
        for cell in missing:
            done = run_preset(cell, split, extractor)
            append_result(done, options.results)
            print(f"{cell['model']}: {verdict(done)}", file=sys.stderr, flush=True)
    found = table(chosen(read_results(options.results), options.seed, options.seconds))
    print(found)
    if (options.results, options.seed, options.seconds) == (RESULTS, 0, _SECONDS):
        PAGE.write_text(found + "\n")
    return 0


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    sys.exit(main())
