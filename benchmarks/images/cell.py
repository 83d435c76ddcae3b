"""One cell of the benchmark: calibrate, fit, sample, score. Started by run.py, once per cell."""

from __future__ import annotations

import copy
import importlib.metadata
import json
import logging
import math
import platform
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import numpy as np
import torch

import synthgen
from benchmarks.images.budget import measure
from benchmarks.images.data import Split, load
from benchmarks.quality.cell import machine
from benchmarks.quality.measure import cpu_seconds, peak_mb
from synthgen.core.device import supports_bfloat16
from synthgen.core.png import encode_png, sheet
from synthgen.core.serialize import load_artifact
from synthgen.data.images import read_images
from synthgen.errors import TrainingError
from synthgen.evaluate import images as metrics
from synthgen.evaluate.images.nearest import nearest_rows
from synthgen.evaluate.images.network import Classifier, train_classifier
from synthgen.evaluate.images.pictures import as_images
from synthgen.models.image import ImageGANSynthesizer
from synthgen.models.image_presets import IMAGE_PRESETS, image_recipe
from synthgen.train.image_recipe import ImageRecipe
from synthgen.train.terms import TermSpec

#: A run has diverged if it ended this much further from real images than it had been, or with this
#: much less variety than real images have.
WORSE, FLAT = 2.0, 0.3

_PACKAGES = ("numpy", "scikit-learn", "torch")
_MOST_MINUTES = 1e6
Made = tuple[np.ndarray, np.ndarray]


class Judge:
    """A classifier of real training images, in the shape that ``sample(reject=...)`` takes.

    Parameters
    ----------
    split : Split
    seed : int
    """

    def __init__(self, split: Split, seed: int) -> None:
        self.classes_ = np.unique(split.labels)
        self._net = learn(split.images, split.labels, seed, 1)

    def predict_proba(self, images: np.ndarray) -> np.ndarray:
        """Return class probabilities of images (n, height, width)."""
        return self._net.probabilities(as_images(images)[0])


def learn(images: np.ndarray, labels: np.ndarray, seed: int, index: int = 0) -> Classifier:
    """Train the small classifier behind the classifier accuracy score."""
    return train_classifier(as_images(images)[0], labels, int(labels.max()) + 1, seed, index)


def mirror(image: np.ndarray) -> np.ndarray:
    """Swap left and right of half of all images."""
    turned = np.random.random() < 0.5  # noqa: NPY002 - the generator that the synthesizer seeds
    return image[:, ::-1] if turned else image


def shown(split: Split, model: dict[str, Any]) -> np.ndarray:
    """Return all images that a model's critic may be shown: of these it may make copies."""
    if not model.get("mirror"):
        return split.images
    return np.concatenate([split.images, split.images[:, :, ::-1]])


def recipe_of(model: dict[str, Any], images: np.ndarray) -> ImageRecipe:
    """Return the recipe of a model of the configuration for images in [-1, 1]."""
    augment = model.get("augment", "auto")
    if model["preset"] == "auto":
        return image_recipe("auto", images, augment)
    recipe = IMAGE_PRESETS[model["preset"]].replace(**model.get("changes", {}))
    if "terms" in model:
        recipe = recipe.replace(terms=tuple(TermSpec(**term) for term in model["terms"]))
    return image_recipe(recipe, images, augment)


def has_diverged(history: list[dict[str, float]]) -> bool:
    """Return whether the last look found images far worse than earlier ones, or all alike.

    >>> has_diverged([{"distance": 1.0, "diversity": 0.9}, {"distance": 2.5, "diversity": 0.9}])
    True
    """
    last = history[-1]
    best = min(row["distance"] for row in history)
    finite = all(math.isfinite(last[name]) for name in ("distance", "diversity"))
    return not finite or last["distance"] > WORSE * best or last["diversity"] < FLAT


def fit(
    split: Split,
    model: dict[str, Any],
    cell: dict[str, Any],
    seconds: float,
    folder: str | None = None,
) -> tuple[ImageGANSynthesizer, dict[str, Any]]:
    """Fit a model for so many seconds of processor time; return it and what it cost.

    With a folder, the last state of training is left there.
    """
    data = read_images(split.images, split.labels)
    fields = {name: value for name, value in cell["parameters"].items() if name != "seconds"}
    recipe = recipe_of(model, data.images).replace(**fields)
    bfloat16 = supports_bfloat16(torch.device("cpu"))
    pace = measure(data.images, split.labels, recipe, bfloat16=bfloat16)
    steps = pace.steps(seconds)
    synth = ImageGANSynthesizer(
        preset=recipe, max_steps=steps, max_minutes=_MOST_MINUTES, device="cpu",
        augment="auto", random_state=cell["seed"], checkpoint_dir=folder,
        transform=mirror if model.get("mirror") else None,
    )  # fmt: skip
    cpu, wall = cpu_seconds(), time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # collapse and the like: the table says so itself
        synth.fit(split.images, split.labels)
    costs = {
        "steps": steps,
        "images_seen": steps * recipe.batch_size,
        "step_seconds": pace.step_seconds,
        "fit_cpu_seconds": cpu_seconds() - cpu,
        "fit_seconds": time.perf_counter() - wall,
        "peak_mb": peak_mb(),
    }
    return synth, costs


def last_state(synth: ImageGANSynthesizer, folder: str) -> ImageGANSynthesizer:
    """Return the model at the end of training, where `synth` is what the monitor liked best."""
    other = copy.deepcopy(synth)
    arrays = load_artifact(Path(folder)).arrays
    prefix = "average."
    weights = {
        name.removeprefix(prefix): torch.from_numpy(np.array(value))
        for name, value in arrays.items()
        if name.startswith(prefix)
    }
    other.sampler_.generator.load_state_dict(weights)
    return other


def draw(synth: ImageGANSynthesizer, n: int, seed: int, split: Split, **options: Any) -> Made:
    """Return images and labels, drawn as often as in training; a preset without labels has none."""
    if options.get("reject") == "classifier":
        options["reject"] = Judge(split, seed + 1)
    if synth.sampler_.labels is None:
        return synth.sample(n, random_state=seed, **options), np.empty(0, dtype=np.int64)
    images, labels = synth.sample(n, random_state=seed, return_labels=True, **options)
    return images, np.asarray(labels).astype(np.int64).ravel()


def accuracy(made: Made, split: Split, seed: int) -> float | None:
    """Return the classifier accuracy score."""
    if not len(made[1]):
        return None
    found = learn(*made, seed).predict(as_images(split.holdout)[0])
    return float((found == split.holdout_labels).mean())


def judges(judge: Split, seed: int = 0) -> metrics.Extractor:
    """Return the features that scores are measured in, those of a classifier of real images."""
    images = as_images(judge.images)[0]
    return metrics.make_extractor("domain", images, judge.labels, random_state=seed)


def classes_seen(extractor: metrics.Extractor, images: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of classes that have a tenth of the images that they should have."""
    if extractor.probabilities is None:
        raise ValueError("These features come from no classifier.")
    found = extractor.probabilities(as_images(images)[0]).argmax(axis=1)
    due = np.bincount(labels) / len(labels)
    seen = np.bincount(found, minlength=len(due)) / len(images)
    return float((seen >= 0.1 * due).mean())


def score(
    made: Made, split: Split, judge: Split, seed: int, seen: np.ndarray
) -> dict[str, float | None]:
    """Compute all figures; the features are those of a classifier of the judge's images."""
    extractor = judges(judge)
    common: dict[str, Any] = {"holdout": split.holdout, "random_state": seed}
    sides = (split.images, made[0])
    neighbours = metrics.neighbourhoods(*sides, extractor=extractor, **common)
    copies = metrics.memorisation(seen, made[0], **common)
    return {
        "cas": accuracy(made, split, seed),
        "fd": metrics.frechet(*sides, extractor=extractor, few="shrink", **common).value,
        "kid": metrics.kernel(*sides, extractor=extractor, **common).value,
        "density": neighbours["density"].value,
        "coverage": neighbours["coverage"].value,
        "class_coverage": classes_seen(extractor, made[0], judge.labels),
        "memorised": copies.value,
        "memorised_real": copies.ceiling,
    }


def picture_of(made: Made, seen: np.ndarray, path: Path) -> None:
    """Write twenty images of every class and, below them, the training image nearest to each.

    Without labels just a hundred.
    """
    rows = [np.flatnonzero(made[1] == k)[:20] for k in np.unique(made[1])]
    full = [own for own in rows if len(own) == 20] or [np.arange(min(100, len(made[0])))]
    real = as_images(seen)[0]
    flat = real.reshape(len(real), -1)
    parts = []
    for own in full:
        drawn = as_images(made[0][own])[0]
        nearest = nearest_rows(drawn.reshape(len(drawn), -1), flat)[0]
        parts += [drawn, real[nearest]]
    path.write_bytes(encode_png(sheet(np.concatenate(parts), 10)))


def train(
    split: Split, entry: dict[str, Any], model: dict[str, Any], cell: dict[str, Any]
) -> tuple[dict[str, Made], dict[str, float | None], dict[str, Any]]:
    """Fit a model and draw from it in all ways asked for; return images, scores and costs.

    Images as they come have the name "".
    """
    seconds = cell["parameters"].get("seconds", entry["cpu_seconds"])
    size, seed = entry["sample"], cell["seed"]
    ways = model.get("samplings", {})
    scores: dict[str, float | None] = {}
    with tempfile.TemporaryDirectory() as folder:
        synth, costs = fit(split, model, cell, seconds, folder if ways else None)
        if ways:
            final = draw(last_state(synth, folder), size, seed, split)
            scores["cas_last"] = accuracy(final, split, seed)
    start = time.process_time()
    made = {"": draw(synth, size, seed, split)}
    costs["sample_images_per_second"] = size / (time.process_time() - start)
    costs["best_step"] = synth.best_step_
    history = synth.history_.to_dict("records")
    scores["diverged"] = float(has_diverged(history))
    scores["diversity"] = float(history[-1]["diversity"])
    for name, options in ways.items():
        how = {key: value for key, value in options.items() if key != "times"}
        made[name] = draw(synth, int(size * options.get("times", 1)), seed, split, **how)
        scores[f"cas_{name}"] = accuracy(made[name], split, seed)
    return made, scores, costs


def run(
    config: dict[str, Any], cell: dict[str, Any], picture: Path | None = None
) -> dict[str, Any]:
    """Return the line of a cell, and draw some of its images."""
    entry, model = config["datasets"][cell["data"]], config["models"][cell["model"]]
    split = load(entry, cell["seed"])
    # All training images of the source judge, however few of them the model may see.
    judge = load({**entry, "train": entry.get("judge", entry["train"])}, cell["seed"])
    made: dict[str, Made] = {"": (split.images, split.labels)}
    scores: dict[str, float | None] = {}
    costs: dict[str, Any] = {}
    if "preset" in model:
        try:
            made, scores, costs = train(split, entry, model, cell)
        except TrainingError as error:
            return finish(cell, split, {"diverged": 1.0}, {}, note=str(error))
    if picture is not None:
        for name, drawn in made.items():
            path = picture.with_stem(f"{picture.stem}-{name}") if name else picture
            picture_of(drawn, shown(split, model), path)
    start = time.process_time()
    scores |= score(made[""], split, judge, cell["seed"], shown(split, model))
    if "preset" not in model:
        # The training images are themselves; fresh real ones say what is usual.
        scores["memorised"] = scores["memorised_real"]
    costs["score_cpu_seconds"] = time.process_time() - start
    return finish(cell, split, scores, costs)


def finish(
    cell: dict[str, Any],
    split: Split,
    scores: dict[str, float | None],
    costs: dict[str, Any],
    **more: str,
) -> dict[str, Any]:
    """Add what every line has."""
    used = {"python": platform.python_version(), "synthgen": synthgen.__version__}
    used |= {name: importlib.metadata.version(name) for name in _PACKAGES}
    sizes = {"train": len(split.images), "holdout": len(split.holdout)}
    return cell | more | {
        "images": sizes, "scores": scores, "costs": costs, "machine": machine(), "versions": used,
    }  # fmt: skip


def main() -> None:
    logging.disable(logging.WARNING)
    config = json.loads(Path(sys.argv[1]).read_text())
    cell = json.loads(sys.argv[2])
    torch.set_num_threads(cell["threads"])
    output = Path(sys.argv[3])
    line = run(config, cell, output.with_suffix(".png"))
    output.write_text(json.dumps(line, allow_nan=False))


if __name__ == "__main__":
    main()
