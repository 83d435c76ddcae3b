from __future__ import annotations

import pytest

from synthgen.page.wording import (
    ELLIPSIS,
    MINUS,
    NARROW_SPACE,
    amount,
    clean,
    fit,
    fixed,
    listed,
    percent,
    shorten,
    text_width,
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "\N{EN DASH}"),
        (float("nan"), "\N{EN DASH}"),
        (0.0, "0"),
        (-0.5, f"{MINUS}0.500"),
        (1.23456, "1.235"),
        (123.456, "123.5"),
        (12_345.6, "12,346"),
        (0.00012345, "0.00012"),
        (3e12, "3e+12"),
    ],
)
def test_amount(value: float | None, shown: str) -> None:
    assert amount(value) == shown


def test_fixed_has_no_negative_zero() -> None:
    assert [fixed(value, 2) for value in (-0.001, -0.01, 1, None)] == [
        "0.00",
        f"{MINUS}0.01",
        "1.00",
        "\N{EN DASH}",
    ]


def test_percent() -> None:
    shown = [percent(value).replace(NARROW_SPACE, " ") for value in (1, 0.123, 1e-6, -0.5, 0)]
    assert shown == ["100 %", "12.3 %", "<0.1 %", f"{MINUS}50 %", "0 %"]


def test_clean_takes_what_breaks_a_page() -> None:
    assert clean("a\n\tb") == "a b"
    assert clean("") == "(empty)"
    for bad in ("\x00", "\u202e", "\ud800", "\x1b"):
        assert clean(f"a{bad}b") == "a\ufffdb"
        clean(bad).encode()
    assert clean("\U0001f600 é 漢") == "\U0001f600 é 漢"


def test_shorten_and_fit_keep_their_limits() -> None:
    assert shorten("a" * 50, 10) == "a" * 9 + ELLIPSIS
    for width in (20.0, 60.0, 200.0):
        line = fit("category number of a long name 17", width, 10)
        assert text_width(line, 10) <= width
    # The end tells names apart that begin alike.
    assert fit("category number of a long name 17", 80, 10).endswith("17")
    assert fit("short", 80, 10) == "short"
    assert fit("漢" * 30, 50, 10).count("漢") <= 4


def test_listed() -> None:
    assert listed([]) == ""
    assert listed(["a", "b"]) == "a, b"
    assert listed(["a", "b", "c", "d"], 2) == "a, b and 2 more"
