from __future__ import annotations

import html
import json
import re
import sys
from itertools import pairwise
from pathlib import Path

import pytest

import synthgen.page
from synthgen.errors import MissingExtraError
from synthgen.evaluate.report import html as writer
from synthgen.evaluate.report.content import ReportContent
from synthgen.evaluate.report.html import render_fragment, render_html
from tests.evaluate.pages import Outline, console, find_browser, run_browser

from .sample import adult_content, empty_content, nasty_content, wide_content

SECTIONS = [
    "verdict", "tables", "findings", "scores", "columns", "associations", "detection", "utility",
    "projection", "history", "left-out", "notes", "definitions",
]  # fmt: skip
CSS = Path(synthgen.page.__file__).with_name("page.css").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def adult() -> ReportContent:
    return adult_content(1_500)


@pytest.fixture(scope="module")
def page(adult: ReportContent) -> str:
    return render_html(adult)


@pytest.fixture(params=["adult", "nasty", "empty"])
def any_page(request: pytest.FixtureRequest, page: str) -> str:
    others = {"nasty": nasty_content, "empty": empty_content}
    return page if request.param == "adult" else render_html(others[request.param]())


def test_every_section_is_there(any_page: str) -> None:
    outline = Outline(any_page)
    assert [str(section["id"]) for section in outline.named("section")] == SECTIONS
    assert not outline.open
    for link in outline.named("a"):
        target = str(link["href"])
        assert target.startswith("https://") or target.removeprefix("#") in outline.ids()


def test_ids_are_unique(any_page: str) -> None:
    ids = Outline(any_page).ids()
    assert len(ids) == len(set(ids))


def test_headings_are_in_order(any_page: str) -> None:
    levels = [int(tag[1]) for tag, _ in Outline(any_page).found if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


def test_figures_are_named_and_cells_have_scopes(page: str) -> None:
    outline = Outline(page)
    named = [drawn for drawn in outline.named("svg") if "aria-hidden" not in drawn]
    assert all(drawn["role"] == "img" and drawn["aria-label"] for drawn in named)
    assert len(named) > 30
    assert all("scope" in cell for cell in outline.named("th"))


def test_page_says_what_the_content_says(page: str, adult: ReportContent) -> None:
    words = html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL))
    said = [adult.title, adult.verdict, *adult.notes, *adult.left_out]
    said += [text for item in adult.findings for text in (item.where, item.text, item.advice)]
    said += [text for item in adult.scores for text in (item.title, item.question, item.note)]
    said += [overlay.column for overlay in adult.overlays]
    assert [text for text in said if text not in words] == []


def test_nothing_is_loaded(any_page: str) -> None:
    outline = Outline(any_page)
    for _, attributes in outline.found:
        assert not {"src", "srcset", "data", "poster", "xlink:href", "background"} & set(attributes)
    assert outline.named("link") == []
    assert "@import" not in CSS
    assert set(re.findall(r"url\(([^)]*)\)", any_page)) <= {"#hatch-synthetic", "#hatch-none"}
    policy = [str(meta.get("content")) for meta in outline.named("meta")]
    assert any(text.startswith("default-src 'none'") for text in policy)


def test_hostile_text_stays_text() -> None:
    page = render_html(nasty_content())
    outline = Outline(page)
    assert len(outline.named("script")) == 1
    assert outline.named("b") == []
    assert not any(name.startswith("on") for _, found in outline.found for name in found)
    assert "&lt;script&gt;document.title" in page
    page.encode()
    assert not {"\x00", "\u202e"} & set(page)


def test_links_of_references(page: str) -> None:
    links = {str(link["href"]) for link in Outline(page).named("a")}
    assert "https://arxiv.org/abs/1610.06545" in links
    assert "https://doi.org/10.48550/arXiv.2002.09797" in links
    # The full stop that ends a sentence is no part of an address.
    assert "https://arxiv.org/abs/1706.02633" in links


def test_same_content_same_bytes(page: str) -> None:
    assert render_html(adult_content(1_500)) == page


def test_worst_columns_are_open_and_the_rest_closed(page: str) -> None:
    outline = Outline(page)
    assert len(outline.named("article")) == writer.FIRST_OVERLAYS
    closed = [panel for panel in outline.named("details") if "data-column" in panel]
    assert len(closed) == 15 - writer.FIRST_OVERLAYS
    assert all("open" not in panel for panel in closed)


def test_many_columns_stay_usable() -> None:
    page = render_html(wide_content())
    assert len(page.encode()) < 5_000_000
    assert "The 40 most associated of 300 columns are shown." in page


def test_fragment_is_one_frame_that_holds_the_page(page: str, adult: ReportContent) -> None:
    outline = Outline(render_fragment(adult))
    assert [tag for tag, _ in outline.found] == ["iframe"]
    (frame,) = outline.named("iframe")
    assert frame["srcdoc"] == page
    assert "allow-same-origin" not in str(frame["sandbox"])


def test_without_jinja(monkeypatch: pytest.MonkeyPatch) -> None:
    writer._template.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError, match="synthgen-toolkit\\[evaluate\\]"):
        render_html(empty_content())


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("mode", [0, 1], ids=["light", "dark"])
def test_contrast(mode: int) -> None:
    blocks = re.findall(r":root \{(.*?)\}", CSS, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[mode]))
    pairs = [(text, ground) for text in ("ink", "muted", "link") for ground in ("paper", "card")]
    pairs += [(rating, f"{rating}-soft") for rating in ("good", "fair", "poor", "none")]
    pairs += [(line, "card") for line in ("real", "synthetic", "holdout")]
    for text, ground in pairs:
        low, high = sorted((luminance(colours[text]), luminance(colours[ground])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground)


# In a browser.

#: Runs before the page's own policy and writes down what is to be seen.
PROBE = """<script>
addEventListener("load", function () {
  document.querySelectorAll("details").forEach(function (part) { part.open = true; });
  var boxes = Array.from(document.querySelectorAll("svg[role=img]"), function (drawn) {
    var box = drawn.getBoundingClientRect();
    return Math.round(box.width) + "x" + Math.round(box.height);
  });
  var report = {title: document.title, boxes: boxes,
                width: document.documentElement.scrollWidth, window: innerWidth};
  document.body.insertAdjacentHTML("beforeend", "<pre id=probe></pre>");
  document.getElementById("probe").textContent = JSON.stringify(report);
});
</script>"""


@pytest.fixture(scope="module")
def browser() -> str:
    return find_browser()


def test_the_console_is_heard(browser: str, tmp_path: Path) -> None:
    run = run_browser(browser, tmp_path, "<script>missing()</script>", "--dump-dom")
    assert len(console(run)) == 1


@pytest.mark.parametrize("kind", ["adult", "nasty", "empty"])
def test_browser_shows_every_figure(browser: str, tmp_path: Path, page: str, kind: str) -> None:
    contents = {"nasty": nasty_content, "empty": empty_content}
    shown = page if kind == "adult" else render_html(contents[kind]())
    probed = shown.replace("<head>", f"<head>{PROBE}", 1)
    run = run_browser(browser, tmp_path, probed, "--dump-dom")
    assert console(run) == []
    found = re.search(r'<pre id="probe">(.*?)</pre>', run.stdout, re.DOTALL)
    assert found is not None
    probe = json.loads(html.unescape(found[1]))
    drawn = [box for box in Outline(shown).named("svg") if box.get("role") == "img"]
    assert len(probe["boxes"]) == len(drawn)
    sizes = [tuple(map(int, box.split("x"))) for box in probe["boxes"]]
    assert all(width >= 40 and height >= 15 for width, height in sizes)
    assert probe["title"] != "taken"
    # Nothing is wider than the window.
    assert probe["width"] <= probe["window"]


def test_browser_prints(browser: str, tmp_path: Path, page: str) -> None:
    target = tmp_path / "report.pdf"
    run_browser(browser, tmp_path, page, f"--print-to-pdf={target}")
    assert target.read_bytes()[:5] == b"%PDF-"
    assert 20_000 < target.stat().st_size < 3_000_000
