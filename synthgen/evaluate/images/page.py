"""The page of an image report: one file, pictures inside, no script and no network."""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Final

import pandas as pd

from synthgen.evaluate.images.pictures import Images, shrink
from synthgen.evaluate.images.png import data_uri, sheet
from synthgen.evaluate.report.svg import element, escape
from synthgen.evaluate.report.wording import DASH, amount, clean, percent, shorten
from synthgen.evaluate.result import Result

_COLUMNS: Final = 10

#: Larger images are averaged down in the page, smaller ones are shown enlarged.
_LARGEST: Final = 96
_SHOWN: Final = 44

_STYLE: Final = """
img.sheet { image-rendering: pixelated; display: block; max-width: 100%; height: auto; }
.sheets { display: grid; gap: 18px; }
.sheets { grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); }
.sheets figure { background: var(--card); border: 1px solid var(--rule); border-radius: 12px; }
.sheets figure { padding: 16px 18px; }
.sheets h3 { margin-bottom: 10px; }
"""

_POLICY: Final = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; "
    "form-action 'none'"
)

#: What a score asks.
_QUESTIONS: Final = {
    "classifier_accuracy": "How well does a classifier trained on synthetic images know real ones?",
    "frechet": "How far is the distribution of features from the real one?",
    "kernel": "The same, without bias for few images; may be below 0 by chance.",
    "precision": "What share of synthetic images lies where real ones do?",
    "recall": "What share of real images lies where synthetic ones do?",
    "density": "How deep among real images do synthetic ones lie?",
    "coverage": "What share of real images has a synthetic one nearby?",
    "inception_score": "Are images each of one class and together of many?",
    "class_coverage": "What share of the classes does a classifier find?",
    "ms_ssim": "How alike are two images of one class?",
    "memorised": "What share lies closer to a training image than real ones do?",
}


def render_page(
    results: dict[str, Result],
    pictures: dict[str, Images],
    sizes: dict[str, int],
    labels: list[str],
) -> str:
    """Return the page.

    Parameters
    ----------
    results : dict of str to Result
    pictures : dict of str to numpy.ndarray of shape (n, C, H, W)
    sizes : dict of str to int
    labels : list of str
        Names of the rows of the pictures.

    Returns
    -------
    str
        HTML; the same report gives the same text.
    """
    title = "Synthetic images against real ones"
    compared = ", ".join(f"{count:,} {name}" for name, count in sizes.items())
    extractor = next(
        (str(r.details["extractor"]) for r in results.values() if "extractor" in r.details), ""
    )
    parts = [
        _section("Scores", _scores(results), lead=_reading(extractor)),
        _section("Look", _sheets(pictures, labels), lead=_rows_lead(labels)),
        _section("Closest to training images", _pairs(results["memorised"], pictures)),
        *_breakdowns(results),
    ]
    style = files("synthgen.evaluate.report").joinpath("page.css").read_text("utf-8") + _STYLE
    head = (
        '<meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style>"
    )
    top = element(
        "header",
        element("p", "Image report", class_="overline"),
        element("h1", escape(title)),
        element("p", escape(compared), class_="lead"),
        class_="top",
    )
    body = top + element("main", *parts)
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def _section(title: str, *content: str, lead: str = "") -> str:
    words = [element("p", escape(lead), class_="lead")] if lead else []
    return element("section", element("h2", escape(title)), *words, *content)


def _reading(extractor: str) -> str:
    return (
        "Real against real is what as many fresh real images get: the best there is. The floor is "
        "what images without any shapes, or a guess, get. Scores with a name in brackets depend on "
        f"features ({clean(extractor)}) and compare with those of equal features and sizes only."
    )


def _rows_lead(labels: list[str]) -> str:
    if not labels:
        return "Random images of both sides."
    return "Random images, one class a row: " + ", ".join(shorten(name, 30) for name in labels)


def _scores(results: dict[str, Result]) -> str:
    titles = ("Score", "Value", "95 % interval", "Real against real", "Floor", "Better")
    rows = []
    for key, result in results.items():
        missing = result.details.get("not_applicable")
        note = element("span", escape(shorten(missing)), class_="note") if missing else ""
        question = element("span", escape(_QUESTIONS.get(key, "")), class_="question")
        interval = result.interval
        span = DASH if interval is None else f"{amount(interval[0])} to {amount(interval[1])}"
        rows.append(
            [
                element("strong", escape(result.name)) + question + note,
                element("strong", escape(amount(result.value))),
                escape(span),
                escape(amount(result.ceiling)),
                escape(amount(result.floor)),
                result.direction,
            ]
        )
    return _table(titles, rows)


def _table(titles: tuple[str, ...], rows: list[list[str]]) -> str:
    """Return a table of markup; all but the first column are figures."""
    head = "".join(
        element("th", escape(title), scope="col", class_="number" if at else None)
        for at, title in enumerate(titles)
    )
    body = "".join(
        element(
            "tr",
            element("th", first, scope="row"),
            *(element("td", cell, class_="number") for cell in rest),
        )
        for first, *rest in rows
    )
    inner = element("thead", element("tr", head)) + element("tbody", body)
    return element("div", element("table", inner, class_="plain"), class_="scroll")


def _sheets(pictures: dict[str, Images], labels: list[str]) -> str:
    words = f" {len(labels)} classes, a row each." if labels else ""
    figures = [
        _figure(title, pictures[name], f"Random {name} images.{words}")
        for name, title in (("real", "Real"), ("synthetic", "Synthetic"))
    ]
    return element("div", *figures, class_="sheets")


def _pairs(result: Result, pictures: dict[str, Images]) -> str:
    if not len(pictures["closest_real"]):
        return element("p", escape(str(result.details["not_applicable"])), class_="absent")
    share = f"{percent(result.value)} lie closer to a training image than the closest 1 % of real "
    share += f"images do; {result.details['equal']} are equal to one, pixel by pixel."
    figures = [
        _figure(title, pictures[name], words)
        for name, title, words in (
            ("closest_synthetic", "Synthetic", "The synthetic images closest to a training image."),
            ("closest_real", "Training", "The training images they are closest to, in this order."),
        )
    ]
    lead = element("p", escape(share), class_="lead")
    return lead + element("div", *figures, class_="sheets")


def _figure(title: str, images: Images, words: str) -> str:
    small = shrink(images, _LARGEST)
    side = max(small.shape[2:])
    factor = max(1, round(_SHOWN / side))
    pixels = sheet(small, _COLUMNS)
    picture = (
        f'<img class="sheet" alt="{escape(words)}" width="{pixels.shape[1] * factor}" '
        f'height="{pixels.shape[0] * factor}" src="{data_uri(pixels)}">'
    )
    return element(
        "figure", element("h3", escape(title)), picture, element("figcaption", escape(words))
    )


def _breakdowns(results: dict[str, Result]) -> list[str]:
    """Return the tables by class, those that lose most first."""
    found = []
    for key, title in (
        ("classifier_accuracy", "Accuracy by class"),
        ("class_coverage", "Shares of classes"),
        ("ms_ssim", "Likeness within classes"),
    ):
        table = results[key].breakdown if key in results else None
        if table is not None:
            found.append(_section(title, _frame(table.head(30))))
    return found


def _frame(table: pd.DataFrame) -> str:
    titles = tuple(str(name).capitalize() for name in table.columns)
    rows = [[escape(_cell(value)) for value in row] for row in table.itertuples(index=False)]
    return _table(titles, rows)


def _cell(value: Any) -> str:
    return amount(value) if isinstance(value, float) else shorten(value, 40)
