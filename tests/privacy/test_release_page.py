"""The page of the release report, as a parser and as a browser see it."""

import html
import json
import re
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

import synthgen.privacy
from synthgen.errors import MissingExtraError
from synthgen.privacy import release_page, release_report
from synthgen.privacy.release_figures import (
    curve_figure,
    forest_figure,
    power_figure,
    waterfall_figure,
)
from tests.evaluate.pages import Outline, console, find_browser, run_browser
from tests.privacy.released import Quality, audited, result, spent, spoilt, table

SECTIONS = [
    "verdict", "findings", "identity", "guarantee", "budget", "assumptions", "attacks", "power",
    "utility", "groups", "risk", "sign-off", "appendix",
]  # fmt: skip
HOSTILE = "</style><script>document.title='taken'</script>\u202e\x00"


def rich(**changes):
    facts = {"audit": audited(), "quality": Quality(), "ledger": spent()}
    return release_report(table(), **{**facts, **changes})


def bare():
    empty = replace(audited(), attacks=(), controls=(), planted=(), smallest_leak=None, skipped=())
    return release_report(table(), audit=empty)


def nasty():
    frame = table().rename(columns={"c": HOSTILE})
    found = spoilt(auc=0.7, auc_simultaneous=(0.65, 0.8))
    splits = {**found.splits, "columns": ["x", "k", HOSTILE]}
    attacks = (replace(found.attacks[0], attack=HOSTILE, notes=(HOSTILE,)), *found.attacks[1:])
    ledger = spent()
    ledger.assume(HOSTILE)
    ledger.charge(replace(ledger.events[0], note=HOSTILE))
    return release_report(
        frame,
        audit=replace(found, splits=splits, attacks=attacks, notes=(HOSTILE,)),
        ledger=ledger,
        quality=Quality(verdict=HOSTILE),
        details={HOSTILE: HOSTILE},
        sign_off={HOSTILE: HOSTILE},
        conditions=[HOSTILE],
        title=HOSTILE,
    )


def crowded():
    attacks = [
        result(f"an attack with a rather long name, number {place}", population)
        for place in range(30)
        for population in ("random", "vulnerable")
    ]
    ledger = spent()
    for place in range(30):
        ledger.charge(replace(ledger.events[0], note=f"release {place} " + "w" * 60, scale=60.0))
    return rich(audit=audited(*attacks), ledger=ledger, conditions=["word " * 200] * 5)


def public():
    return rich(mode="public")


KINDS = {"rich": rich, "bare": bare, "nasty": nasty, "crowded": crowded, "public": public}


@pytest.fixture(scope="module")
def pages():
    return {kind: make().to_html() for kind, make in KINDS.items()}


@pytest.fixture(params=list(KINDS))
def page(request, pages):
    return pages[request.param]


def test_every_section_is_there(page):
    outline = Outline(page)
    assert [str(section["id"]) for section in outline.named("section")] == SECTIONS
    assert not outline.open
    ids = outline.ids()
    assert len(ids) == len(set(ids))
    for link in outline.named("a"):
        assert str(link["href"]).removeprefix("#") in ids
    levels = [int(tag[1]) for tag, _ in outline.found if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_figures_are_named_cells_have_scopes_and_tables_can_be_scrolled_by_key(page):
    outline = Outline(page)
    for drawn in outline.named("svg"):
        assert drawn.get("aria-label") or drawn.get("aria-hidden") == "true"
    assert all("scope" in cell for cell in outline.named("th"))
    for part in outline.named("div"):
        if "scroll" in str(part.get("class", "")).split():
            assert part["tabindex"] == "0"
            assert part["aria-label"]


def test_nothing_is_loaded(page):
    outline = Outline(page)
    assert not [1 for _, given in outline.found if {"src", "srcset", "action"} & given.keys()]
    assert not outline.named("link")
    assert "url(http" not in page
    assert "@import" not in page
    assert len(outline.named("script")) == 1


def test_the_word_that_is_never_used(page):
    assert "anonym" not in page.lower().replace("anonymeter", "")
    assert "gdpr" not in page.lower()


def test_no_source_uses_that_word():
    folder = Path(synthgen.privacy.__file__).parent
    for path in folder.glob("release*"):
        words = path.read_text(encoding="utf-8").lower().replace("anonymeter", "")
        assert "anonym" not in words, path.name


def test_hostile_text_stays_text(pages):
    assert "<script>document" not in pages["nasty"]
    assert "\u202e" not in pages["nasty"]
    assert "\x00" not in pages["nasty"]


def test_the_page_says_what_the_report_says(pages):
    made = rich()
    text = html.unescape(re.sub("<[^>]*>", " ", pages["rich"]))
    assert made.content.sentence in text
    for rule in made.content.rules:
        assert rule.text in text
    for words in ("histograms of 3 columns", "Controller", "no critic was given"):
        assert words in text
    assert re.search("SHA-256 .* [0-9a-f]{64}", text)


def test_fragment_is_one_frame():
    (part,) = Outline(str(rich()._repr_html_())).named("iframe")
    assert "allow-same-origin" not in str(part["sandbox"])
    assert part["srcdoc"] == rich().to_html()


def test_without_jinja(monkeypatch):
    release_page._template.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(MissingExtraError):
        rich().to_html()
    assert rich()._repr_html_() is None
    assert rich().to_json()


def test_belief_is_never_rounded_to_certainty():
    assert release_page._belief(0.7311).startswith("73.1")
    assert release_page._belief(0.99996).startswith("99.996")
    assert release_page._belief(1 - 1e-9) == "over 99.999 %"


def test_figures():
    content = rich().content
    drawn = forest_figure(content.attacks, 0.6)
    assert drawn.count("<circle") == 4
    above = rich(audit=spoilt(auc=0.7, auc_simultaneous=(0.65, 0.8))).content
    assert 'class="mark-poor"' in forest_figure(above.attacks, 0.6)
    assert forest_figure([], 0.6) is None
    assert waterfall_figure(content.steps, 60).count('class="step-bar"') == 2
    assert waterfall_figure([], 60) is None
    assert "measured-1" in curve_figure(content.guarantee, content.roc)
    assert curve_figure(replace(content.guarantee, curve=[]), []) is None
    assert power_figure(content.power).count("mark-good") == 1
    assert power_figure(bare().content.power) is None


# In a browser.

#: Runs before the page's own policy and writes down what is to be seen.
PROBE = """<script>
addEventListener("load", function () {
  document.querySelectorAll("details").forEach(function (part) { part.open = true; });
  var boxes = Array.from(document.querySelectorAll("svg[role=img]"), function (drawn) {
    var box = drawn.getBoundingClientRect();
    return [Math.round(box.width), Math.round(box.height)];
  });
  var report = {title: document.title, boxes: boxes,
                width: document.documentElement.scrollWidth, window: innerWidth};
  document.body.insertAdjacentHTML("beforeend", "<pre id=probe></pre>");
  document.getElementById("probe").textContent = JSON.stringify(report);
});
</script>"""


@pytest.fixture(scope="module")
def browser():
    return find_browser()


@pytest.mark.parametrize("kind", ["nasty", "crowded"])
@pytest.mark.parametrize("size", ["1200,900", "500,900"])
def test_browser_shows_every_figure(browser, tmp_path, pages, kind, size):
    probed = pages[kind].replace("<head>", f"<head>{PROBE}", 1)
    run = run_browser(browser, tmp_path, probed, f"--window-size={size}", "--dump-dom")
    assert console(run) == []
    found = re.search(r'<pre id="probe">(.*?)</pre>', run.stdout, re.DOTALL)
    assert found is not None
    probe = json.loads(html.unescape(found[1]))
    drawn = [box for box in Outline(pages[kind]).named("svg") if box.get("role") == "img"]
    assert len(probe["boxes"]) == len(drawn)
    assert all(width >= 40 and height >= 15 for width, height in probe["boxes"])
    assert probe["title"] != "taken"
    # Nothing is wider than the window.
    assert probe["width"] <= probe["window"]


def test_browser_prints(browser, tmp_path, pages):
    target = tmp_path / "report.pdf"
    run_browser(browser, tmp_path, pages["rich"], f"--print-to-pdf={target}")
    assert target.read_bytes()[:5] == b"%PDF-"
    assert 20_000 < target.stat().st_size < 2_000_000
