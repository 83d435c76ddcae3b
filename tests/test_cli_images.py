"""Images on the command line: ``fit``, ``sample``, ``evaluate``, ``info`` and ``presets``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from typer.testing import CliRunner, Result

from synthgen import ImageGANSynthesizer
from synthgen.cli import app, image_work
from synthgen.cli.images import PngFolder, folder_names, read_image_file
from synthgen.core.png import encode_png
from synthgen.data.image_folder import read_folder
from synthgen.errors import InvalidDataError
from tests.train.image_tasks import SMALL

#: Few steps train nothing; what the guards say about that is not the point here.
pytestmark = pytest.mark.filterwarnings("ignore::synthgen.errors.TrainingWarning")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def assert_user_error(result: Result, *fragments: str) -> None:
    assert result.exit_code == 2, result.output
    (line,) = [line for line in result.stderr.splitlines() if "warning" not in line]
    assert line.startswith("synthgen: ")
    for fragment in fragments:
        assert fragment in line


def some_digits(first: int = 0, n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    data = load_digits()
    chosen = np.flatnonzero(data.target < 2)[first : first + n]
    images = (data.images[chosen] * 15.9375).round().astype(np.uint8)
    return images, np.array(["zero", "one/two"])[data.target[chosen]]


def write_folder(folder: Path, images: np.ndarray, labels: np.ndarray | None = None) -> Path:
    for at, image in enumerate(images):
        place = folder if labels is None else folder / str(labels[at])[:3]
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{at}.png").write_bytes(encode_png(image[:, :, None]))
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, and a model fitted by the command line."""
    place = tmp_path_factory.mktemp("images")
    images, labels = some_digits()
    np.savez(place / "data.npz", images=images, labels=labels)
    result = run("fit", place / "data.npz", "--out", place / "model", "--max-steps", 2, "--seed", 0)
    assert result.exit_code == 0, result.output
    assert "fitted 60 images of 8 x 8, 2 classes in" in result.stdout
    return place


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model without labels, of images with five channels."""
    place = tmp_path_factory.mktemp("plain") / "model"
    bands = np.random.default_rng(0).integers(0, 256, (40, 5, 8, 9), dtype=np.uint8)
    ImageGANSynthesizer(preset=SMALL.replace(steps=1), random_state=0).fit(bands).save(place)
    return place


def test_a_fit_of_a_folder(tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="image files are read by pillow")
    images, labels = some_digits(n=30)
    folder = write_folder(tmp_path / "images", images, labels)
    grid = tmp_path / "now.png"
    result = run("fit", folder, tmp_path / "model", "--max-steps", 1, "--grid", grid, "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["images"] == 30
    assert report["shape"] == [8, 8]
    assert report["labels"] is True
    info = json.loads(run("info", tmp_path / "model", "--json").stdout)
    assert info["config"]["labels"]["values"] == [["one", "zer"]]
    assert grid.read_bytes().startswith(b"\x89PNG")


def test_samples_in_folders(place: Path, tmp_path: Path) -> None:
    pytest.importorskip("PIL", reason="image files are read by pillow")
    out, grid = tmp_path / "deep" / "new", tmp_path / "grid.png"
    result = run("sample", place / "model", "-n", 12, "--out", out, "--grid", grid, "--seed", 3)
    assert result.exit_code == 0, result.output
    assert "wrote 12 images to" in result.stdout
    images, labels = read_folder(out)
    model = ImageGANSynthesizer.load(place / "model")
    expected, classes = model.sample(12, random_state=3, return_labels=True)
    assert sorted(map(bytes, images)) == sorted(map(bytes, expected))
    counts = {name: labels.count(name) for name in ("zero", "one_two")} if labels else {}
    assert counts == {"zero": (classes == "zero").sum(), "one_two": (classes == "one/two").sum()}
    assert grid.read_bytes()[:4] == b"\x89PNG"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "grid.png"]
    assert [path.name for path in out.parent.iterdir()] == ["new"]
    assert_user_error(run("sample", place / "model", "-n", 2, "--out", out), "not an empty folder")


def test_samples_in_one_file(place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_work, "_CHUNK", 5)
    out = tmp_path / "new.npz"
    result = run(
        "sample", place / "model", "-n", 8, "-o", out, "--label", "zero", "--label", "one/two",
        "--truncation", 0.5, "--seed", 1, "--json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["images"] == 8
    images, labels = read_image_file(out)
    assert labels.tolist() == ["zero", "one/two"] * 4
    model = ImageGANSynthesizer.load(place / "model")
    first = model.sample(y=labels[:5].tolist(), truncation=0.5, random_state=1)
    assert np.array_equal(images[:5], first)
    assert len({image.tobytes() for image in images}) == 8
    again = tmp_path / "again.npy"
    arguments = ("--label", "zero", "--label", "one/two", "--truncation", 0.5, "--seed", 1)
    assert run("sample", place / "model", "-n", 8, "-o", again, *arguments).exit_code == 0
    assert np.array_equal(read_image_file(again)[0], images)


def test_a_folder_is_never_half_written(tmp_path: Path) -> None:
    target = tmp_path / "new"
    image = np.zeros((1, 8, 8, 1), dtype=np.uint8)

    def write_and_fail() -> None:
        with PngFolder(target, None, 2) as folder:
            folder.write(image, None)
            assert not target.exists()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_and_fail()
    assert list(tmp_path.iterdir()) == []
    target.mkdir()
    with PngFolder(target, ["a"], 1) as folder:
        folder.write(image, ["a"])
    assert [str(path.relative_to(target)) for path in target.rglob("*.png")] == ["a/0.png"]


@pytest.mark.parametrize(
    "label", ["../../up", "/root", "a\\b", "C:", ".", "..", "", " x ", "n\u0000l", "a" * 400]
)
def test_names_of_folders_stay_inside(label: str, tmp_path: Path) -> None:
    name = folder_names([label])[label]
    made = tmp_path / name
    made.mkdir()
    assert made.resolve().parent == tmp_path.resolve()
    assert name not in (".", "..")


def test_what_sample_refuses(place: Path, plain: Path, tmp_path: Path) -> None:
    model = place / "model"
    assert_user_error(run("sample", model, "-n", 2), "--out FOLDER or --grid FILE")
    assert_user_error(run("sample", model, "-n", 2, "-o", "x.jpg"), "--out must be a folder")
    assert_user_error(run("sample", model, "-n", 2, "--grid", "x.gif"), "end in .png")
    assert_user_error(
        run("sample", model, "-n", 2, "-o", tmp_path / "a", "--label", "six"),
        "Unknown label 'six'", "one/two, zero",
    )  # fmt: skip
    assert_user_error(
        run("sample", model, "-n", 2, "-o", tmp_path / "a", "--condition", "a=1"),
        "--condition is for tables",
    )
    assert_user_error(run("sample", plain, "-n", 2, "-o", tmp_path / "a"), "5 channels", ".npz")
    assert_user_error(
        run("sample", plain, "-n", 2, "-o", tmp_path / "a.npz", "--label", "x"), "without labels"
    )
    assert list(tmp_path.iterdir()) == []
    result = run("sample", plain, "-n", 2, "-o", tmp_path / "a.npz", "--grid", tmp_path / "g.png")
    assert result.exit_code == 0, result.output
    assert read_image_file(tmp_path / "a.npz")[0].shape == (2, 5, 8, 9)
    assert run("sample", plain, "-n", 0, "-o", tmp_path / "none.npz").exit_code == 0


def test_what_fit_refuses(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    out = tmp_path / "model"
    assert_user_error(run("fit", empty, out), "holds no images")
    assert_user_error(run("fit", empty), "where to save the model")
    assert_user_error(run("fit", empty, out, "--out", out), "Say once")
    assert_user_error(run("fit", empty, out, "--schema", "s.json"), "--schema is for tables")
    assert_user_error(run("fit", tmp_path / "none.npz", out), "none.npz")
    (tmp_path / "table.csv").write_text("a,b\n1,2\n3,4\n")
    grid = ("--grid", tmp_path / "now.png")
    assert_user_error(run("fit", tmp_path / "table.csv", out, *grid), "--grid is for images")
    (tmp_path / "bad.npz").write_bytes(b"PK nothing")
    assert_user_error(run("fit", tmp_path / "bad.npz", out), "cannot be read")
    np.savez(tmp_path / "other.npz", rows=np.zeros(3))
    assert_user_error(run("fit", tmp_path / "other.npz", out), "named 'images'", "it has rows")
    np.save(tmp_path / "one.npy", np.zeros((1, 8, 8)))
    assert_user_error(run("fit", tmp_path / "one.npy", out), "at least 2 are needed")
    np.save(tmp_path / "objects.npy", np.array([{}, None], dtype=object), allow_pickle=True)
    with pytest.raises(InvalidDataError, match="cannot be read"):
        read_image_file(tmp_path / "objects.npy")
    assert not out.exists()


def test_evaluate(place: Path, tmp_path: Path) -> None:
    sides = {"real": some_digits(0, 40)[0], "made": some_digits(40, 40)[0]}
    for name, images in sides.items():
        np.save(tmp_path / f"{name}.npy", images)
    result = run(
        "evaluate", tmp_path / "real.npy", tmp_path / "made.npy", "--model", place / "model",
        "--html", tmp_path / "report.html", "--json-file", tmp_path / "report.json",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    verdict, scores, _ = result.stdout.split("\n\n", 1)[0], result.stdout.split("\n\n")[1], None
    assert verdict.startswith("No verdict: ")
    assert scores.splitlines()[0].split() == [
        "score", "value", "floor", "ceiling", "rating", "note"
    ]  # fmt: skip
    assert "Step 1" in (tmp_path / "report.html").read_text("utf-8")
    document = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert document["sizes"] == {"real": 40, "synthetic": 40}


def test_evaluate_passes_everything_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def note(*sides: Any, **options: Any) -> Any:
        calls.append((sides, options))
        raise InvalidDataError("far enough")

    monkeypatch.setattr("synthgen.evaluate.images.image_report", note)
    images, labels = some_digits(n=9)
    np.savez(tmp_path / "a.npz", images=images, labels=labels)
    np.save(tmp_path / "b.npy", images)
    a, b = tmp_path / "a.npz", tmp_path / "b.npy"
    assert_user_error(run("evaluate", a, a, "--holdout", a, "--max-rows", 7, "--seed", 5), "far")
    sides, options = calls.pop()
    assert all(np.array_equal(side, images) for side in sides)
    for name in ("labels", "synthetic_labels", "holdout_labels"):
        assert options[name].tolist() == labels.tolist()
    assert (options["max_images"], options["random_state"]) == (7, 5)
    # One side without labels: none count.
    run("evaluate", a, b)
    assert calls.pop()[1]["labels"] is None
    assert_user_error(run("evaluate", a, a, "--target", "x"), "--target is for tables")


def test_info_and_presets(place: Path) -> None:
    text = run("info", place / "model").stdout
    assert "ImageGANSynthesizer" in text
    assert "one/two, zero" in text
    listed = run("presets", "--images").stdout
    assert "stylegan2-ada" in listed
    assert "stylegan2-ada" in json.loads(run("presets", "--images", "--json").stdout)


def test_options_for_images_are_refused_for_tables(tmp_path: Path) -> None:
    assert_user_error(run("sample", tmp_path, "-n", 2, "--grid", "x.png"), "--grid is for images")
