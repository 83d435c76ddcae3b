"""Do the attacks on images find what a generator memorised? One JSON line per generator.

    python -m benchmarks.privacy.image_attacks
    python -m benchmarks.privacy.image_attacks --cases default --seconds 600
    python -m benchmarks.privacy.image_attacks --fresh 20
    python -m benchmarks.privacy.image_attacks --report

Fashion-MNIST's training images are read from the folder that SYNTHGEN_DATA names, and dealt at
random to members, holdout, reference and fresh images. Generators: members with noise on every
pixel, members moved by a pixel, our default model of images on 1,000 members, the same for long and
without augmentation on 200 of them, and fresh real images. Budgets are seconds of processor time on
one thread. Distances and trees look at two kinds of features: principal components of pixels, and
those of a small classifier that learned from reference images. ``--fresh`` deals anew again and
again and counts how often .5 lies within the interval for fresh images. A line that is there
already is not run again.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.images.cell import draw, fit, last_state, learn
from benchmarks.images.data import Split, load, missing
from benchmarks.lines import append_line, markdown, read_lines
from benchmarks.privacy.attacks import RESULTS as TABLES
from synthgen.evaluate.images.pictures import as_images
from synthgen.models.image import ImageGANSynthesizer
from synthgen.privacy.attacks import (
    AttackResult,
    ImageArena,
    Rate,
    arena_of_images,
    image_logan_black_box,
    image_logan_white_box,
    image_nearest,
)

RESULTS: Final = TABLES.with_name("image_attacks.jsonl")
_ENTRY: Final = {"source": "fashion_mnist", "train": 20_000}
_SIZES: Final = {"members": 1_000, "holdout": 4_000, "reference": 5_000, "fresh": 5_000}
#: From the leakiest to the safest.
CASES: Final = ("noise_0.1", "noise_0.3", "moved", "overfit", "default", "fresh")
_OVERFIT_IMAGES: Final = 200
#: Processor seconds of a fit.
_SECONDS: Final = {"default": 120.0, "overfit": 300.0}
_MADE: Final = 5_000

Pictures = NDArray[np.uint8]
Features = Callable[[Any], Any]


@dataclass(frozen=True)
class Deal:
    """Images and labels of one group."""

    images: Pictures
    labels: NDArray[np.int64]

    def head(self, n: int) -> Deal:
        """Return the first images."""
        return Deal(self.images[:n], self.labels[:n])


def deal(seed: int) -> dict[str, Deal]:
    """Return disjoint random groups of one set of images."""
    split = load(_ENTRY, seed)
    order = np.random.default_rng(seed).permutation(len(split.images))
    ends = np.cumsum(list(_SIZES.values()))
    parts = np.split(order[: ends[-1]], ends[:-1])
    return {
        name: Deal(split.images[rows], split.labels[rows])
        for name, rows in zip(_SIZES, parts, strict=True)
    }


def noisy(images: Pictures, share: float) -> Pictures:
    """Return copies with Gaussian noise: a share of black to white, as standard deviation."""
    noise = np.random.default_rng(0).normal(0, 255 * share, images.shape)
    return np.clip(images + noise, 0, 255).astype(np.uint8)


def moved(images: Pictures) -> Pictures:
    """Return copies moved by one pixel, each in a direction of its own."""
    rng = np.random.default_rng(0)
    shifts = rng.choice([-1, 1], size=len(images)), rng.integers(1, 3, size=len(images))
    rolled = [
        np.roll(own, step, axis=axis - 1) for own, step, axis in zip(images, *shifts, strict=True)
    ]
    return np.stack(rolled)


def train(case: str, members: Deal, seconds: float) -> tuple[ImageGANSynthesizer, dict[str, Any]]:
    """Fit a model for so long; the overfitted one is left as it ends, and sees no augmentation."""
    split = Split(members.images, members.labels, members.images[:0], members.labels[:0])
    model = {"preset": "auto", "augment": None} if case == "overfit" else {"preset": "auto"}
    cell = {"parameters": {}, "seed": 0}
    with tempfile.TemporaryDirectory() as folder:
        synth, costs = fit(split, model, cell, seconds, folder if case == "overfit" else None)
        best = synth.best_step_
        if case == "overfit":
            synth = last_state(synth, folder)
    return synth, {**costs, "best_step": best}


def classifier_features(reference: Deal) -> Features:
    """Return the features of a network that tells the classes of the reference images apart."""
    network = learn(reference.images, reference.labels, seed=0)
    return lambda images: network.features(as_images(images)[0])


def attack(
    made: Pictures, groups: dict[str, Deal], members: Deal, features: Features, synth: Any
) -> dict[str, dict[str, Any]]:
    """Return the figures of every attack."""
    figures = {}
    sides = (made, members.images, groups["holdout"].images, groups["reference"].images)
    arenas = {
        "components": arena_of_images(*sides),
        "classifier": arena_of_images(*sides, features=features),
    }
    for space, arena in arenas.items():
        figures[f"nearest, {space}"] = described(image_nearest(arena))
        figures[f"LOGAN black box, {space}"] = described(image_logan_black_box(arena))
    if synth is not None:
        arena = arenas["components"]
        labels = labels_of(arena, members, groups["holdout"])
        white = image_logan_white_box(arena, lambda images: synth.score_samples(images, labels))
        figures["LOGAN white box"] = described(white)
    return figures


def labels_of(arena: ImageArena, members: Deal, holdout: Deal) -> NDArray[np.int64]:
    """Return the label of every target."""
    inside = arena.population.member
    return np.concatenate(
        [members.labels[arena.places[inside]], holdout.labels[arena.places[~inside]]]
    )


def described(result: AttackResult) -> dict[str, Any]:
    """Return what is kept of a result."""
    return {
        "auc": result.auc,
        "interval": result.auc_interval,
        "tpr_at_1pct": _rate(result.tpr_at_1pct),
        "fpr_at_1pct": _rate(result.fpr_at_1pct),
        "tpr_at_01pct": _rate(result.tpr_at_01pct),
        "fpr_at_01pct": _rate(result.fpr_at_01pct),
        "epsilon_lower": result.epsilon_lower,
        "variant": result.variant,
        "members": result.n_members,
        "holdout": result.n_holdout,
        **result.details,
    }


def _rate(rate: Rate | None) -> list[float] | None:
    return None if rate is None else [rate.value, rate.low, rate.high]


def run(
    case: str, groups: dict[str, Deal], features: Features, seconds: float | None
) -> dict[str, Any]:
    """Release one generator's images and attack them."""
    start = time.process_time()
    members = groups["members"]
    synth, costs = None, {}
    if case in _SECONDS:
        members = members.head(_OVERFIT_IMAGES if case == "overfit" else len(members.images))
        synth, costs = train(case, members, seconds or _SECONDS[case])
        made = draw(synth, _MADE, 0, Split(*[members.images, members.labels] * 2))[0]
    elif case == "fresh":
        made = groups["fresh"].images
    elif case == "moved":
        made = moved(members.images)
    else:
        made = noisy(members.images, float(case.split("_")[1]))
    fitted = time.process_time()
    figures = attack(made, groups, members, features, synth)
    return {
        "data": "fashion-mnist",
        "kind": case,
        "images": {"members": len(members.images), "synthetic": len(made), **_others()},
        "attacks": figures,
        "costs": costs,
        "attack_cpu_seconds": time.process_time() - fitted,
        "cpu_seconds": time.process_time() - start,
        "threads": torch.get_num_threads(),
    }


def fresh_runs(runs: int) -> dict[str, Any]:
    """Release fresh images of other deals, and count how often the interval holds .5."""
    held: dict[str, list[bool]] = {}
    for seed in range(1, runs + 1):
        groups = deal(seed)
        sides = (groups[name].images for name in ("fresh", "members", "holdout", "reference"))
        arena = arena_of_images(*sides, seed=seed)
        for result in (image_nearest(arena), image_logan_black_box(arena)):
            assert result.auc_interval is not None
            low, high = result.auc_interval
            held.setdefault(f"{result.attack}, components", []).append(low <= 0.5 <= high)
    shares = {name: float(np.mean(own)) for name, own in held.items()}
    return {"data": "fashion-mnist", "kind": "fresh_runs", "runs": runs, "holds_half": shares}


def _others() -> dict[str, int]:
    return {name: _SIZES[name] for name in ("holdout", "reference")}


def report(lines: list[dict[str, Any]]) -> str:
    """Return one row per generator and attack as a Markdown table."""
    header = ["generator", "attack", "AUC", "interval", "TPR at 1 % FPR", "at .1 %", "eps", "steps"]
    rows = []
    known = [line for line in lines if line["kind"] in CASES]
    for line in sorted(known, key=lambda each: CASES.index(each["kind"])):
        for name, own in line["attacks"].items():
            low, high = own["interval"]
            rows.append(
                [
                    line["kind"],
                    name,
                    f"{own['auc']:.3f}",
                    f"{low:.3f} - {high:.3f}",
                    _percent(own["tpr_at_1pct"]),
                    _percent(own["tpr_at_01pct"]),
                    f"{own['epsilon_lower']:.2f}",
                    str(line["costs"].get("steps", "")),
                ]
            )
    return "\n".join(markdown(header, rows))


def _percent(rate: list[float] | None) -> str:
    if rate is None:
        return ""
    value, low, high = (100 * own for own in rate)
    return f"{value:.1f} % ({low:.1f} - {high:.1f})"


def main() -> int:
    """Run what is asked for and not there yet."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", nargs="+", default=list(CASES), choices=list(CASES))
    parser.add_argument("--seconds", type=float, help="processor seconds of each fit")
    parser.add_argument("--fresh", type=int, default=0, help="runs on fresh images")
    parser.add_argument("--report", action="store_true", help="print the table and stop")
    options = parser.parse_args()
    if options.report:
        print(report(read_lines(RESULTS)))
        return 0
    absent = missing(_ENTRY, "fashion-mnist")
    if absent is not None:
        print(absent)
        return 0
    torch.set_num_threads(1)
    if options.fresh:
        _write(fresh_runs(options.fresh))
        return 0
    there = {line["kind"] for line in read_lines(RESULTS)}
    groups = deal(0)
    features = classifier_features(groups["reference"])
    for case in options.cases:
        if case in there:
            continue
        _write(run(case, groups, features, options.seconds))
    return 0


def _write(line: dict[str, Any]) -> None:
    append_line(line, RESULTS)
    print(json.dumps(line), flush=True)


if __name__ == "__main__":
    sys.exit(main())
