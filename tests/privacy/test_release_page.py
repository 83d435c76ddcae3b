"""The page of the release report, as a parser and as a browser see it."""

import html
import json
import math
import re
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

import synthgen.privacy
from synthgen.errors import MissingExtraError
from synthgen.page.wording import NARROW_SPACE
from synthgen.privacy import release_page, release_report
from synthgen.privacy.release_curves import curve_figure, distances_figure, logarithms
from synthgen.privacy.release_evidence import curves
from synthgen.privacy.release_figures import (
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
    assert power_figure(content.power).count("mark-good") == 1
    assert power_figure(bare().content.power) is None


def of_class(drawn, name):
    return [
        element.attrib["d"]
        for element in ElementTree.fromstring(drawn).iter("path")
        if element.attrib["class"] == name
    ]


def test_curves_are_drawn_at_large_and_where_false_alarms_are_few():
    content = rich().content
    drawn = curve_figure(content.guarantee, content.roc)
    assert len(of_class(drawn, "bound-curve")) == len(of_class(drawn, "bound-area")) == 2
    assert len(of_class(drawn, "measured-0")) == len(of_class(drawn, "measured-1")) == 2
    assert "0.1 %" in drawn
    # Without a guarantee the measured curves are shown all the same, without either nothing is.
    assert not of_class(curve_figure(None, content.roc), "bound-curve")
    assert of_class(curve_figure(None, content.roc), "measured-1")
    assert curve_figure(replace(content.guarantee, curve=[]), []) is None
    assert curve_figure(None, []) is None


def test_logarithms_begin_at_the_first_false_alarm():
    drawn = logarithms([(0, 0.5), (0.1, 1), (1, 1)])
    assert (drawn[0], drawn[-1]) == ((-1, 0), (0, 0))
    assert {y for _, y in drawn} == {0.0}
    # One that lies before the axis is moved to its beginning, along the line.
    (first, found), *_ = logarithms([(0, 0), (0.0005, 0.1), (0.0015, 0.3), (1, 1)])
    assert first == -3
    assert found == pytest.approx(math.log10(0.2))
    # Nothing found stands at the foot of the axis.
    assert logarithms([(0, 0), (0.01, 0), (1, 1)])[0] == (-2, -3)
    assert logarithms([(0, 0)]) == []
    # A straight line between two points is bent on these axes: at one in ten it is at .19.
    bent = logarithms([(0.01, 0.1), (1, 1)])
    assert bent == sorted(bent)
    assert dict(bent)[-1.0] == pytest.approx(math.log10(0.1 + 0.9 * 0.09 / 0.99))


def test_an_attack_without_false_alarms_is_drawn_where_alarms_are_few():
    copies = result("copies", roc=([0.0, 0.0, 1.0], [0.0, 0.1, 1.0]), n_holdout=500)
    ((_, points),) = curves(audited(copies))
    assert points[2] == (1 / 500, pytest.approx(0.1 + 0.9 / 500))
    assert logarithms(points)[0] == pytest.approx((math.log10(1 / 500), math.log10(0.1018)))


def test_the_words_of_the_curves_say_what_is_found_at_few_false_alarms():
    points = [(0, 0), (0.001, 0.25), (0.01, 0.5), (1, 1)]
    few = [(0, 0.5), (0.02, 0.5), (1, 1)]
    drawn = curve_figure(None, [("one", points), ("other", few)]).replace(NARROW_SPACE, " ")
    assert "one: 50 % at 1 %, 25 % at 0.1 %." in drawn
    assert "other: too few rows." in drawn


def test_distances_are_drawn_as_shares_of_rows():
    lines = [("members", [0.0, 0.0, 1.0]), ("holdout", [0.5, 1.0, 2.0])]
    drawn = distances_figure(lines)
    (near,), (far,) = (of_class(drawn, f"measured-{place}") for place in (0, 1))
    # Half of the members have a copy: the line goes straight up at no distance.
    assert near.startswith("M58 220L58 220L58 116L")
    assert not far.startswith("M58 220L58 ")
    assert "members 0.000, holdout 1.000" in drawn
    assert distances_figure([]) is None
    assert "NaN" not in distances_figure([("members", [0.0, 0.0])])
    assert "Distances to the nearest row" in rich().to_html()
    assert "Distances to the nearest row" not in public().to_html()


def test_the_page_shows_curves_without_a_guarantee_but_not_to_the_public():
    page = rich(ledger=None).to_html()
    assert "Rows found by false alarms" in page
    assert "The most that any attack can find" not in page
    assert "Rows found by false alarms" not in rich(ledger=None, mode="public").to_html()
    assert "Rows found by false alarms" not in bare().to_html()


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
