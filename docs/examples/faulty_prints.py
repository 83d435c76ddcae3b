"""Faulty images among good ones, nobody having shown the detector a fault.

    python faulty_prints.py

Handwritten digits of scikit-learn stand for prints. A fault is a square of two by two pixels:
a blot, or a spot where the ink is missing. The map says where it is.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from synthgen import ImageGANSynthesizer
from synthgen.anomaly import GANOutlierDetector, anomaly_report

SIZE = 2


def spoilt(
    images: NDArray[np.float32], kind: str, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Return images with one fault each, and the rows and columns of their corners.

    A blot is where there was least ink, a gap where there was most.
    """
    result = images.copy()
    corners = np.empty((len(images), 2), dtype=np.int64)
    for image, corner in zip(result, corners, strict=True):
        places = rng.integers(0, images.shape[2] - SIZE + 1, size=(8, 2))
        ink = [image[0, a : a + SIZE, b : b + SIZE].mean() for a, b in places]
        top, left = places[int(np.argmin(ink) if kind == "blot" else np.argmax(ink))]
        image[0, top : top + SIZE, left : left + SIZE] = 1.0 if kind == "blot" else -1.0
        corner[:] = top, left
    return result, corners


def main() -> None:
    """Print the comparison, and how often the map points at the fault."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=1_500)
    options = parser.parse_args()

    prints = load_digits().images.astype(np.float32)[:, None] / 8.0 - 1.0
    train, good, others = prints[:1_300], prints[1_300:1_550], prints[1_550:]
    generator = ImageGANSynthesizer(max_steps=options.steps)
    detector = GANOutlierDetector(synthesizer=generator, random_state=0)
    detector.fit(train)
    for kind in ("blot", "gap"):
        faulty, corners = spoilt(others, kind, np.random.default_rng(0))
        labels = np.repeat([0, 1], [len(good), len(faulty)])
        report = anomaly_report(detector, np.concatenate([good, faulty]), labels)
        print(f"{kind}\n{report.table[['auc', 'low', 'high']].round(3).to_string()}")
        print(report.advice)
        places = detector.anomaly_map(faulty).reshape(len(faulty), -1).argmax(axis=1)
        off = np.stack(np.divmod(places, faulty.shape[3]), axis=1) - corners
        hit = ((off >= 0) & (off < SIZE)).all(axis=1).mean()
        print(f"The map is largest within the fault in {hit:.0%} of images (chance: 6%).\n")


if __name__ == "__main__":
    main()
