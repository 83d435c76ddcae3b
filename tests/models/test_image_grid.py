"""The picture that is kept up to date while a generator of images trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from synthgen import DPEmbedding, ImageGANSynthesizer
from synthgen.errors import InvalidParameterError
from synthgen.models import image_grid
from synthgen.models.image_grid import Shown


def digits(n: int = 600) -> tuple[np.ndarray, np.ndarray]:
    X, y = load_digits(return_X_y=True)
    return X.reshape(-1, 8, 8)[:n], y[:n]


def test_a_sample_becomes_a_picture(tmp_path: Path) -> None:
    shown = Shown(tmp_path / "now.png")
    shown.add(np.full((16, 1, 8, 6), -1.0, dtype=np.float32))
    shown.add(np.full((16, 1, 8, 6), 1.0, dtype=np.float32))
    assert len(shown.images) == 2
    picture = np.asarray(Image.open(tmp_path / "now.png"))
    assert picture.shape == (4 * 9 - 1, 4 * 7 - 1)
    assert picture.min() == 255
    assert [path.name for path in tmp_path.iterdir()] == ["now.png"]


def test_without_a_path_nothing_is_written(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Shown().add(np.zeros((16, 1, 8, 8), dtype=np.float32))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_does_not_end_training(tmp_path: Path, monkeypatch: Any, caplog: Any) -> None:
    def full(path: Path, raw: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(image_grid, "replace_file", full)
    shown = Shown(tmp_path / "now.png")
    for _ in range(2):
        shown.add(np.zeros((16, 1, 8, 8), dtype=np.float32))
    assert len(shown.images) == 2
    assert len([r for r in caplog.records if "No space left" in r.getMessage()]) == 1


@pytest.mark.parametrize(
    ("path", "message"), [("x.jpg", "ends in .png"), (5, "ends in .png"), ("no/x.png", "no folder")]
)
def test_bad_paths_are_named_before_training(path: Any, message: str) -> None:
    X, y = digits()
    with pytest.raises(InvalidParameterError, match=message):
        ImageGANSynthesizer(max_steps=1, grid_path=path).fit(X, y)


@pytest.mark.parametrize("private", [False, True])
def test_fit_keeps_the_newest_images(tmp_path: Path, private: bool) -> None:
    X, y = digits()
    options: dict[str, Any] = {}
    if private:
        options = {
            "privacy": DPEmbedding(5.0, n_waves=8),
            "classes": list(range(10)),
            "value_range": (0.0, 16.0),
        }
    path = tmp_path / "now.png"
    model = ImageGANSynthesizer(max_steps=4, random_state=0, grid_path=str(path), **options)
    model.fit(X, y)
    picture = np.asarray(Image.open(path)).astype(float)
    newest = model.grids_[-1].astype(float) * 255 / 16
    np.testing.assert_allclose(picture[:8, :8], newest[0], atol=1.0)
