"""The images of the benchmark, from scikit-learn and from the folder that SYNTHGEN_DATA names."""

from __future__ import annotations

import gzip
import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_FASHION = {
    "train": "train20000-{kind}-ubyte.gz",
    "test": "t10k-{kind}-ubyte.gz",
}
_IMAGES, _LABELS = "images-idx3", "labels-idx1"
_CLOTHING = "fewshot_clothing_100dress_100shoes_128px.zip"


@dataclass(frozen=True)
class Split:
    """Training and holdout images of uint8, (n, height, width) or with channels last, and labels.

    Parameters
    ----------
    images, holdout : numpy.ndarray
    labels, holdout_labels : numpy.ndarray
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    holdout: NDArray[np.uint8]
    holdout_labels: NDArray[np.int64]


def load(entry: dict[str, Any], seed: int) -> Split:
    """Return a data set: Fashion-MNIST's own split, its training side drawn by the seed if cut."""
    if entry["source"] == "digits":
        return _digits(entry["train"], seed)
    if entry["source"] == "clothing":
        return _clothing(entry["train"], entry["side"], seed)
    images, labels = (read_idx(_fashion_file("train", kind)) for kind in (_IMAGES, _LABELS))
    holdout, tested = (read_idx(_fashion_file("test", kind)) for kind in (_IMAGES, _LABELS))
    rows = np.arange(len(images))
    if entry["train"] < len(images):
        rows = np.sort(np.random.default_rng(seed).permutation(len(images))[: entry["train"]])
    return Split(images[rows], labels[rows].astype(np.int64), holdout, tested.astype(np.int64))


def missing(entry: dict[str, Any], name: str) -> str | None:
    """Say why a data set cannot be read, or return None."""
    if entry["source"] == "digits":
        return None
    if not os.environ.get("SYNTHGEN_DATA"):
        return f"{name}: skipped, SYNTHGEN_DATA does not name the folder that holds images/"
    files = [_fashion_file(side, kind) for side in _FASHION for kind in (_IMAGES, _LABELS)]
    if entry["source"] == "clothing":
        files = [_folder() / _CLOTHING]
    absent = [str(path) for path in files if not path.is_file()]
    return f"{name}: skipped, there is no file {absent[0]}" if absent else None


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read a gzipped IDX file of bytes: magic number, sizes, values."""
    raw = gzip.decompress(path.read_bytes())
    if raw[:3] != b"\x00\x00\x08":
        raise ValueError(f"{path} is no IDX file of bytes.")
    axes = raw[3]
    shape = np.frombuffer(raw, ">u4", count=axes, offset=4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * axes).reshape(tuple(map(int, shape)))


def _fashion_file(side: str, kind: str) -> Path:
    return _folder() / "fashion_mnist" / _FASHION[side].format(kind=kind)


def _folder() -> Path:
    return Path(os.environ["SYNTHGEN_DATA"]) / "images"


def _digits(size: int, seed: int) -> Split:
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    # 0..16 in the file; bytes, so that every cell has the same type.
    images = np.rint(images.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    return _split(images, labels.astype(np.int64), size, seed)


def _clothing(size: int, side: int, seed: int) -> Split:
    """Read photographs of dresses and shoes, made smaller by averaging."""
    from PIL import Image

    images, labels = [], []
    with zipfile.ZipFile(_folder() / _CLOTHING) as archive:
        for name in sorted(n for n in archive.namelist() if n.endswith(".jpg")):
            picture = Image.open(io.BytesIO(archive.read(name))).convert("RGB")
            images.append(np.asarray(picture.resize((side, side), Image.Resampling.BOX)))
            labels.append(name.split("/")[0])
    codes = np.unique(labels, return_inverse=True)[1].astype(np.int64)
    return _split(np.stack(images), codes, size, seed)


def _split(images: NDArray[np.uint8], labels: NDArray[np.int64], size: int, seed: int) -> Split:
    order = np.random.default_rng(seed).permutation(len(images))
    own, rest = order[:size], order[size:]
    return Split(images[own], labels[own], images[rest], labels[rest])
