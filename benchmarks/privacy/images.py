"""Private images of Fashion-MNIST: the classifier accuracy score by mechanism and epsilon.

    SYNTHGEN_DATA=... python -m benchmarks.privacy.images --epsilon 0.3 1 10 --minutes 40
    SYNTHGEN_DATA=... python -m benchmarks.privacy.images --mechanism gradients --epsilon 10

A small network learns from 20,000 synthetic images and is tested on the 10,000 real test images;
on the 20,000 real training images it reaches .91. Lines go to ``results/images.jsonl``. Each also
holds a lower bound of epsilon from an attack on the release itself, the only thing that training
sees: two sets of images that differ by one, as an attacker would choose them, 2,000 releases.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks.images.cell import accuracy, picture_of
from benchmarks.images.data import Split, load
from benchmarks.lines import append_line
from benchmarks.quality.cell import machine
from synthgen import ImageGANSynthesizer
from synthgen.dp.budget import DPEmbedding
from synthgen.dp.embedding import release_embedding
from synthgen.dp.events import Event
from synthgen.dp.gaussian import gaussian_mu
from synthgen.dp.ledger import Ledger
from synthgen.dp.noise import SystemNoise
from synthgen.dp.sgd_budget import DPSGD
from synthgen.nn.image.geometry import Geometry
from synthgen.nn.image.public_features import PublicFeatures
from synthgen.privacy import audit_mechanism

RESULTS = Path(__file__).parent / "results" / "images.jsonl"
_DELTA = 1e-6
_AUDIT_DELTA, _AUDIT_RUNS = 1e-3, 2_000


def run(
    mechanism: str, epsilon: float, seed: int, minutes: float, options: dict[str, Any], grid: Path
) -> dict[str, Any]:
    """Fit, draw as many images as there are, and score."""
    split = load({"source": "fashion_mnist", "train": 20_000}, seed)
    kind = DPEmbedding if mechanism == "embedding" else DPSGD
    privacy = kind(epsilon, _DELTA, **options)
    model = ImageGANSynthesizer(
        privacy=privacy, classes=range(10), max_minutes=minutes, device="cpu", random_state=seed
    )
    start, processor = time.perf_counter(), time.process_time()
    model.fit(split.images, split.labels)
    seconds, processor = time.perf_counter() - start, time.process_time() - processor
    images, labels = model.sample(20_000, random_state=seed, return_labels=True)
    made = images, np.asarray(labels).astype(np.int64)
    grid.mkdir(parents=True, exist_ok=True)
    picture_of(made, grid / f"{mechanism}-{epsilon:g}-{seed}.png")
    return {
        "data": "fashion-mnist-20k",
        "mechanism": type(privacy).__name__,
        "epsilon": epsilon,
        "delta": _DELTA,
        "seed": seed,
        "parameters": privacy.get_params(),
        "spent": model.epsilon_,
        "cas": accuracy(made, split, seed),
        "misfit": float(model.history_["misfit"].iloc[-1]),
        "steps": model.n_steps_,
        "stopped_by": model.stopped_by_,
        "fit_seconds": seconds,
        "fit_processor_seconds": processor,
        "threads": torch.get_num_threads(),
        "audit": audit(split, epsilon) if mechanism == "embedding" else None,
        "machine": machine(),
    }


class _Uncounted(Ledger):
    """Writes charges down without adding them up, which takes longer than a release."""

    def charge(self, event: Event) -> None:
        self.events.append(event)


def audit(split: Split, epsilon: float) -> dict[str, Any]:
    """Attack the release of 200 images, with and without one more."""
    features = PublicFeatures(Geometry(1, 28, 28), n_waves=50)
    images = torch.as_tensor(split.images[:201, None]).float() / 127.5 - 1.0
    with torch.no_grad():
        vectors = features(images).double().numpy()
    ledger = Ledger(epsilon, _AUDIT_DELTA, n_rows=201, noise=SystemNoise())
    sigma = 1.0 / gaussian_mu(epsilon, _AUDIT_DELTA)
    canary = vectors[200]

    def release(with_canary: bool) -> float:
        own = _Uncounted(epsilon, _AUDIT_DELTA, n_rows=201, noise=SystemNoise())
        codes = np.zeros(201, dtype=np.int64)
        codes[200] = 0 if with_canary else -1
        found = release_embedding(
            [(vectors, codes)], n_classes=1, n_features=vectors.shape[1], count_share=0.02,
            sigma=sigma, ledger=own, note="audit",
        )  # fmt: skip
        return float(found.means[0] @ canary)

    release_embedding(
        [(vectors, np.zeros(201, dtype=np.int64))], n_classes=1, n_features=vectors.shape[1],
        count_share=0.02, sigma=sigma, ledger=ledger, note="audit",
    )  # fmt: skip
    found = audit_mechanism(
        release, False, True, epsilon=epsilon, delta=_AUDIT_DELTA, n_runs=_AUDIT_RUNS,
        random_state=0,
    )  # fmt: skip
    return {"claim": ledger.spent().epsilon, "lower": found.lower, "refuted": found.refuted}


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mechanism", choices=("embedding", "gradients"), default="embedding")
    parser.add_argument("--epsilon", type=float, nargs="+", default=[1.0, 10.0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--minutes", type=float, default=40.0)
    parser.add_argument("--batch", type=int, default=256, help="expected batch of gradients")
    parser.add_argument("--steps", type=int, default=1_500, help="updates of a private critic")
    parser.add_argument("--share", type=float, default=0.5, help="of the budget, for the release")
    parser.add_argument("--waves", type=int, default=1_000)
    parser.add_argument("--grids", type=Path, default=Path("grids"), help="folder for pictures")
    parser.add_argument("--results", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    asked: dict[str, Any] = {"n_waves": options.waves}
    if options.mechanism == "gradients":
        asked = {
            "batch_size": options.batch, "steps": options.steps, "one_way_share": options.share,
        }  # fmt: skip
    for epsilon in options.epsilon:
        for seed in options.seeds:
            line = run(options.mechanism, epsilon, seed, options.minutes, asked, options.grids)
            append_line(line, options.results)
            print({name: line[name] for name in ("mechanism", "epsilon", "seed", "cas", "steps")})
    return 0


if __name__ == "__main__":
    sys.exit(main())
