from __future__ import annotations

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from synthgen.errors import InvalidParameterError
from synthgen.evaluate.images.report import ImageReport, image_report

from .digits import digits, noisy

VOID = {"meta", "img"}


class Balance(HTMLParser):
    """Checks that every tag that opens is closed, and collects pictures."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.pictures: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        if tag == "img":
            self.pictures.append(str(dict(attrs)["src"]))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.fixture(scope="module")
def labelled() -> ImageReport:
    images, codes = digits()
    return image_report(
        images[:900],
        noisy(images[:500], 0.1),
        images[900:],
        labels=codes[:900],
        synthetic_labels=codes[:500],
        holdout_labels=codes[900:],
    )


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


def test_json_holds_the_results(labelled: ImageReport, tmp_path: Path) -> None:
    text = labelled.to_json(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text()) == json.loads(text)
    assert json.loads(text)["sizes"] == {"real": 900, "synthetic": 500, "holdout": 897}


def test_the_page_is_whole_and_needs_nothing_else(labelled: ImageReport, tmp_path: Path) -> None:
    page = labelled.to_html(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text("utf-8") == page
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    assert len(parser.pictures) == 4
    assert all(source.startswith("data:image/png;base64,") for source in parser.pictures)
    assert "<script" not in page
    assert "default-src 'none'" in page
    for words in ("FD[domain]", "Real against real", "Accuracy by class", "memorised"):
        assert words in page
    assert labelled.to_html() == page


def test_pictures_are_in_rows_of_one_class(labelled: ImageReport) -> None:
    images, codes = digits()
    assert labelled.labels == [str(digit) for digit in range(10)]
    known = {image.tobytes(): code for image, code in zip(images[:900], codes[:900], strict=True)}
    found = [known[image.tobytes()] for image in labelled.pictures["real"]]
    assert found == np.repeat(np.arange(10), 10).tolist()


def test_without_labels_or_holdout() -> None:
    images, _ = digits()
    rows = np.random.default_rng(0).integers(0, 256, (150, 10, 6, 3)).astype(np.uint8)
    report = image_report(rows, rows[:90])
    table = report.table().set_index("score")
    assert list(table.index[:2]) == ["FD[random]", "KD[random]"]
    assert "images are needed" in table.loc["FD[random]", "note"]
    assert np.isnan(table.loc["FD[random]", "value"])
    assert table.loc["memorised", "value"] == 1
    assert "Accuracy by class" not in report.to_html()
    again = image_report(rows, rows[:90])
    assert again.to_html() == report.to_html()
    assert (
        image_report(images, images[:300], random_state=1).to_json()
        != image_report(images, images[:300], random_state=2).to_json()
    )


def test_one_image_and_constant_images() -> None:
    images, _ = digits()
    one = image_report(images[:1], images[:1])
    assert one.table()["value"].isna().all()
    Balance().feed(one.to_html())
    constant = np.zeros((140, 8, 8))
    table = image_report(constant, constant).table().set_index("score")
    assert table.loc["FD[random]", "note"] != "" or table.loc["FD[random]", "value"] == 0
    assert table.loc["precision[random]", "value"] == 1


def test_names_of_classes_cannot_inject() -> None:
    images, codes = digits()
    evil = np.array(["<script>x</script>", "b"])[(codes[:60] > 4).astype(int)]
    page = image_report(
        images[:60], images[:60], labels=evil, synthetic_labels=evil, extractor="pixels"
    ).to_html()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_half_labelled_use_is_refused() -> None:
    images, codes = digits()
    with pytest.raises(InvalidParameterError, match="no labels of the real images"):
        image_report(images[:9], images[:9], synthetic_labels=codes[:9])
    with pytest.raises(InvalidParameterError, match="holdout_labels"):
        image_report(
            images[:9], images[:9], images[:9], labels=codes[:9], synthetic_labels=codes[:9]
        )


def test_torch_is_imported_only_when_a_network_is_needed() -> None:
    code = (
        "import sys, numpy as np\n"
        "from synthgen.evaluate.images import frechet\n"
        "images = np.random.default_rng(0).random((300, 8, 8))\n"
        "frechet(images, images, extractor='pixels')\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
