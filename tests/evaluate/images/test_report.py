from __future__ import annotations

import html
import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from synthgen import ImageGANSynthesizer
from synthgen.data.images import read_images
from synthgen.errors import InvalidDataError, InvalidParameterError, MissingExtraError
from synthgen.evaluate.images import page as writer
from synthgen.evaluate.images.report import ImageReport, image_report
from synthgen.page.wording import clean
from tests.evaluate.pages import Outline, console, find_browser, run_browser

from .digits import digits, noisy

SECTIONS = [
    "verdict", "tables", "look", "memorisation", "scores", "classes", "history", "notes",
    "definitions",
]  # fmt: skip


class Maker:
    """A fitted synthesizer: noisy digits of given classes, in its own range of values."""

    def __init__(self) -> None:
        images, _ = digits()
        self.spec_ = read_images(16 * images[:500, 0]).spec
        self.classes_ = [list(range(10))]
        self.history_ = pd.DataFrame({"step": [10, 20, 30], "distance": [3.0, 2.0, 1.0]})
        self.grids_ = np.stack([16 * noisy(images[:16, 0], s) for s in (0.5, 0.3, 0.1)])

    def sample(self, n: int, *, random_state: int, return_labels: bool = False) -> Any:
        images, codes = digits()
        made = 16 * noisy(images[:n, 0], 0.1, random_state % 1000)
        return (made, codes[:n]) if return_labels else made


@pytest.fixture(scope="module")
def labelled() -> ImageReport:
    images, codes = digits()
    return image_report(
        16 * images[:900, 0],
        Maker(),
        16 * images[900:, 0],
        labels=codes[:900],
        holdout_labels=codes[900:],
    )


@pytest.fixture(scope="module")
def bare() -> ImageReport:
    rows = np.random.default_rng(0).integers(0, 256, (150, 10, 6, 3)).astype(np.uint8)
    return image_report(rows, rows[:90])


def test_every_score_is_there(labelled: ImageReport) -> None:
    table = labelled.table().set_index("score")
    assert set(table.index) == {
        "classifier_accuracy",
        "FD[domain]",
        "KD[domain]",
        "precision[domain]",
        "recall[domain]",
        "density[domain]",
        "coverage[domain]",
        "IS[domain]",
        "class_coverage",
        "ms_ssim",
        "memorised",
    }
    assert (table["note"] == "").all()
    assert table[["value", "real_vs_real", "floor"]].notna().all().all()
    # Noise costs something, and nothing is as bad as scrambled pixels.
    for name in ("FD[domain]", "KD[domain]"):
        assert table.loc[name, "real_vs_real"] < table.loc[name, "value"] < table.loc[name, "floor"]
    assert table.loc["classifier_accuracy", "value"] > 0.8
    assert table.loc["memorised", "value"] > 0.2
    assert table.loc["memorised", "rating"] == "poor"


def test_the_verdict_says_what_pulls_it_down(labelled: ImageReport, bare: ImageReport) -> None:
    assert labelled.content.rating == "poor"
    assert labelled.verdict.startswith("Not good enough: a classifier trained on synthetic")
    assert "What pulls it down: closer than real ones." in labelled.verdict
    # Copies of real images, without labels.
    assert bare.content.rating == "poor"
    images, _ = digits()
    honest = image_report(images[:300], images[300:600], extractor="pixels")
    assert honest.content.rating == "none"
    assert honest.verdict.startswith("No verdict: ")


def test_closest_pairs_have_a_control(labelled: ImageReport, bare: ImageReport) -> None:
    images, _ = digits()
    known = {image.tobytes() for image in np.round(images * 16)}
    closest = labelled.content.closest
    assert closest.control_side == "holdout"
    assert bare.content.closest.control_side == "training"
    for pairs in (closest.synthetic, closest.control):
        far = [pair.relative for pair in pairs]
        assert far == sorted(far)
        assert all(np.round(pair.images[1] * 16).tobytes() in known for pair in pairs)
    assert all(np.round(pair.images[0] * 16).tobytes() in known for pair in closest.control)
    # Digits with a little noise are nearer to the ones that they were made of than fresh ones.
    nearest, usual = (
        np.mean([pair.relative for pair in pairs]) for pairs in (closest.synthetic, closest.control)
    )
    assert nearest < 0.9 * usual
    (first, *_), *_ = [[pair.relative for pair in bare.content.closest.synthetic]]
    assert first == 0
    # No image is its own neighbour.
    assert min(pair.relative for pair in bare.content.closest.control) > 0


def test_json_holds_the_results(labelled: ImageReport, tmp_path: Path) -> None:
    text = labelled.to_json(tmp_path / "report.json")
    assert (tmp_path / "report.json").read_text() == text
    document = json.loads(text)
    assert document["sizes"] == {"real": 900, "synthetic": 900, "holdout": 897}
    assert document["rating"] == "poor"
    assert "NaN" not in text


def test_looks_are_in_rows_of_one_class(labelled: ImageReport) -> None:
    images, codes = digits()
    known = {image.tobytes(): code for image, code in zip(images[:900], codes[:900], strict=True)}
    looks = labelled.content.looks
    assert [look.name for look in looks] == [str(digit) for digit in range(10)]
    for digit, look in enumerate(looks):
        assert len(look.synthetic) == 10
        back = np.round(look.real * 16) / 16
        assert {known[image.astype(np.float32).tobytes()] for image in back} == {digit}


@pytest.mark.parametrize("kind", ["labelled", "bare"])
def test_the_page_is_whole_and_needs_nothing_else(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    report = request.getfixturevalue(kind)
    page = report.to_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text("utf-8") == page
    assert report.to_html() == page
    outline = Outline(page)
    assert not outline.open
    assert [str(section["id"]) for section in outline.named("section")] == SECTIONS
    assert len(outline.ids()) == len(set(outline.ids()))
    levels = [int(tag[1]) for tag, _ in outline.found if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    pictures = outline.named("img")
    assert all(str(found["src"]).startswith("data:image/png;base64,") for found in pictures)
    assert all(found["alt"] for found in pictures)
    for link in outline.named("a"):
        target = str(link["href"])
        assert target.startswith("https://") or target.removeprefix("#") in outline.ids()
    assert "default-src 'none'; img-src data:" in page
    assert html.escape(clean(report.verdict)) in page


def test_what_a_labelled_page_shows(labelled: ImageReport) -> None:
    page = labelled.to_html()
    for words in ("FD[domain]", "Accuracy by class", "Control: held-out", "Step 10", "Step 30"):
        assert words in page
    # Real and synthetic by class, eight pairs twice, and three moments of training.
    assert len(Outline(page).named("img")) == 2 * 10 + 2 * 8 + 3


def test_without_labels_or_holdout(bare: ImageReport) -> None:
    images, _ = digits()
    table = bare.table().set_index("score")
    assert list(table.index[:2]) == ["FD[random]", "KD[random]"]
    assert "images are needed" in table.loc["FD[random]", "note"]
    assert np.isnan(table.loc["FD[random]", "value"])
    assert table.loc["memorised", "value"] == 1
    assert "Needs labels" in bare.to_html()
    first, second = (
        image_report(images[:300], images[300:500], extractor="pixels", random_state=seed).to_json()
        for seed in (1, 1)
    )
    assert first == second
    other = image_report(images[:300], images[300:500], extractor="pixels", random_state=2)
    assert other.to_json() != first


def test_one_image_and_constant_images() -> None:
    images, _ = digits()
    one = image_report(images[:1], images[:1])
    assert one.table()["value"].isna().all()
    assert not Outline(one.to_html()).open
    constant = np.zeros((140, 8, 8))
    report = image_report(constant, constant)
    table = report.table().set_index("score")
    assert table.loc["FD[random]", "note"] != "" or table.loc["FD[random]", "value"] == 0
    assert table.loc["precision[random]", "value"] == 1
    assert not Outline(report.to_html()).open


def test_names_of_classes_cannot_inject() -> None:
    images, codes = digits()
    evil = np.array(["<script>x</script>", 'b"onload="x'])[(codes[:60] > 4).astype(int)]
    page = image_report(
        images[:60],
        images[:60],
        labels=evil,
        synthetic_labels=evil,
        extractor="pixels",
        title="<b>bold</b>",
    ).to_html()
    outline = Outline(page)
    assert len(outline.named("script")) == 1
    assert outline.named("b") == []
    assert not any(name.startswith("on") for _, found in outline.found for name in found)
    assert "&lt;script&gt;" in page


def test_several_attributes_are_one_class_each() -> None:
    images, codes = digits()
    pairs = np.array([["low" if code < 5 else "high", str(code % 2)] for code in codes[:80]])
    report = image_report(
        images[:80], images[80:160], labels=pairs, synthetic_labels=pairs, extractor="pixels"
    )
    assert [look.name for look in report.content.looks] == [
        "high, 0",
        "high, 1",
        "low, 0",
        "low, 1",
    ]


def test_half_labelled_use_is_refused() -> None:
    images, codes = digits()
    with pytest.raises(InvalidParameterError, match="no labels of the real images"):
        image_report(images[:9], images[:9], synthetic_labels=codes[:9])
    with pytest.raises(InvalidParameterError, match="holdout_labels"):
        image_report(
            images[:9], images[:9], images[:9], labels=codes[:9], synthetic_labels=codes[:9]
        )
    with pytest.raises(InvalidParameterError, match="brings its own"):
        image_report(images[:9], Maker(), labels=codes[:9], synthetic_labels=codes[:9])


def test_what_a_synthesizer_cannot_be_compared_with() -> None:
    images, _ = digits()
    for real in (images[:9], "a folder", None, images[:9, 0, :7]):
        with pytest.raises(InvalidDataError):
            image_report(real, Maker())
    with pytest.raises(InvalidDataError, match="NaN"):
        image_report(np.full((9, 8, 8), np.nan), Maker())
    with pytest.raises(NotFittedError):
        image_report(images[:9, 0], ImageGANSynthesizer())


def test_stages_need_grids_that_fit_the_history() -> None:
    images, _ = digits()
    maker = Maker()
    maker.grids_ = maker.grids_[:2]
    report = image_report(
        images[:40], images[40:80], synthesizer=maker, extractor="pixels", random_state=0
    )
    assert report.content.stages == []
    assert report.content.history is not None
    other = image_report(
        images[:40], images[40:80], synthesizer=SimpleNamespace(), extractor="pixels"
    )
    assert other.content.history is None


def test_without_jinja(bare: ImageReport, monkeypatch: pytest.MonkeyPatch) -> None:
    writer._template.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match="synthgen-toolkit\\[evaluate\\]"):
        bare.to_html()


def test_torch_is_imported_only_when_a_network_is_needed() -> None:
    code = (
        "import sys, numpy as np\n"
        "from synthgen.evaluate.images import frechet\n"
        "images = np.random.default_rng(0).random((300, 8, 8))\n"
        "frechet(images, images, extractor='pixels')\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# In a browser.

#: Runs before the page's own policy and writes down what is to be seen.
PROBE = """<script>
addEventListener("load", function () {
  var boxes = Array.from(document.images, function (picture) {
    var box = picture.getBoundingClientRect();
    return [picture.naturalWidth, Math.round(box.width), Math.round(box.height)];
  });
  var report = {boxes: boxes, width: document.documentElement.scrollWidth, window: innerWidth};
  document.body.insertAdjacentHTML("beforeend", "<pre id=probe></pre>");
  document.getElementById("probe").textContent = JSON.stringify(report);
});
</script>"""


@pytest.fixture(scope="module")
def browser() -> str:
    return find_browser()


@pytest.mark.parametrize("width", [1200, 500])
def test_browser_shows_every_picture(
    browser: str, tmp_path: Path, labelled: ImageReport, width: int
) -> None:
    page = labelled.to_html()
    probed = page.replace("<head>", f"<head>{PROBE}", 1)
    run = run_browser(browser, tmp_path, probed, "--dump-dom", f"--window-size={width},900")
    assert console(run) == []
    found = re.search(r'<pre id="probe">(.*?)</pre>', run.stdout, re.DOTALL)
    assert found is not None
    probe = json.loads(html.unescape(found[1]))
    assert len(probe["boxes"]) == len(Outline(page).named("img"))
    assert all(natural > 0 and min(box) >= 15 for natural, *box in probe["boxes"])
    # Nothing is wider than the window.
    assert probe["width"] <= probe["window"]


def test_browser_prints(browser: str, tmp_path: Path, labelled: ImageReport) -> None:
    target = tmp_path / "report.pdf"
    run_browser(browser, tmp_path, labelled.to_html(), f"--print-to-pdf={target}")
    assert target.read_bytes()[:5] == b"%PDF-"
