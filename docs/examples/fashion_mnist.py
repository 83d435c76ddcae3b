"""Learn Fashion-MNIST, and write a picture of new images, a row for each class.

    SYNTHGEN_DATA=data python fashion_mnist.py --steps 2000 --picture fashion_mnist.png

The folder that SYNTHGEN_DATA names holds ``images/fashion_mnist/`` with the training images and
their labels as published, of which `--images` are used. The model is kept in `--model`; one that
is there already is not trained again.
"""

from __future__ import annotations

import argparse
import gzip
import os
from pathlib import Path

import numpy as np

from synthgen import ImageGANSynthesizer
from synthgen.core.png import encode_png, sheet

COLUMNS = 12


def read(name: str, skip: int) -> np.ndarray:
    """Return the bytes of a file in the data set's own format, without its header."""
    folder = Path(os.environ["SYNTHGEN_DATA"]) / "images" / "fashion_mnist"
    (path,) = folder.glob(f"train*-{name}-ubyte.gz")
    return np.frombuffer(gzip.decompress(path.read_bytes()), dtype=np.uint8, offset=skip)


def fitted(folder: Path, n_images: int, steps: int) -> ImageGANSynthesizer:
    """Return the model of a folder, trained if there is none."""
    if (folder / "config.json").is_file():
        return ImageGANSynthesizer.load(folder)
    images = read("images-idx3", 16).reshape(-1, 28, 28)[:n_images]
    labels = read("labels-idx1", 8)[:n_images]
    model = ImageGANSynthesizer(max_steps=steps, max_minutes=600, random_state=0, verbose=1)
    model.fit(images, labels).save(folder)
    return model


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=2_000)
    parser.add_argument("--model", type=Path, default=Path("fashion-mnist-model"))
    parser.add_argument("--picture", type=Path, default=Path("fashion_mnist.png"))
    options = parser.parse_args()
    model = fitted(options.model, options.images, options.steps)
    wanted = np.repeat(model.classes_[0], COLUMNS)
    images = model.sample(y=wanted, random_state=0)
    picture = sheet((images / 255).astype(np.float32)[:, None], COLUMNS)
    # Every pixel twice as large, for screens.
    options.picture.write_bytes(encode_png(picture.repeat(2, axis=0).repeat(2, axis=1)))


if __name__ == "__main__":
    main()
