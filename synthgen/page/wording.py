"""Numbers and foreign text as readers see them: short, on one line, and safe to show."""

from __future__ import annotations

import math
import unicodedata
from typing import Final

MINUS: Final = "\N{MINUS SIGN}"
DASH: Final = "\N{EN DASH}"
ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"
UNKNOWN: Final = "\N{REPLACEMENT CHARACTER}"
NARROW_SPACE: Final = "\N{NARROW NO-BREAK SPACE}"

#: Marks that turn the direction of the text around them; a column name must not reorder a page.
_DIRECTION_MARKS: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: object) -> str:
    """Return `text` on one line, without characters that a page cannot show.

    Examples
    --------
    >>> clean(" two   words ")
    'two words'
    """
    kept = "".join(
        UNKNOWN if _is_unsafe(letter) else letter for letter in " ".join(str(text).split())
    )
    return kept or "(empty)"


def _is_unsafe(letter: str) -> bool:
    # Control characters, halves of surrogate pairs (which have no UTF-8 form), code points that are
    # no characters.
    return letter in _DIRECTION_MARKS or unicodedata.category(letter) in ("Cc", "Cs", "Cn")


def shorten(text: object, limit: int = 120) -> str:
    """Return the cleaned text with at most `limit` letters.

    Examples
    --------
    >>> shorten("abcdef", 4)
    'abc…'
    """
    line = clean(text)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + ELLIPSIS


def text_width(text: str, size: float) -> float:
    """Estimate the width of a line of a sans-serif font, in the unit of `size`.

    Examples
    --------
    >>> text_width("ab", 10.0)
    11.4
    """
    return round(size * sum(_letter_width(letter) for letter in text), 2)


def _letter_width(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in ("W", "F"):
        return 1.1
    if letter in "mwMW@%" + ELLIPSIS:
        return 0.9
    if letter in "fijlrt.,:;|!'()[] ":
        return 0.34
    return 0.68 if letter.isupper() else 0.57


def fit(text: object, width: float, size: float) -> str:
    """Return as much of the cleaned text as `width` holds; what is cut is cut from the middle.

    Names often begin alike and differ at their end.

    Examples
    --------
    >>> fit("category number 17", 60.0, 10.0)
    'catego…r 17'
    """
    line = clean(text)
    if text_width(line[:400], size) <= width:
        return line[:400]
    shown = ELLIPSIS
    for kept in range(min(len(line), 400), 0, -1):
        tail = kept * 2 // 5
        shown = line[: kept - tail] + ELLIPSIS + line[len(line) - tail :]
        if text_width(shown, size) <= width:
            break
    return shown


def amount(value: float | None, digits: int = 3) -> str:
    """Return a figure with as many decimals as tell something.

    Examples
    --------
    >>> amount(0.98765), amount(12.5), amount(48842), amount(0.00012)
    ('0.988', '12.5', '48,842', '0.00012')
    """
    if value is None or not math.isfinite(value):
        return DASH
    size = abs(value)
    if value == int(value) and size < 1e9:
        shown = f"{int(size):,}"
    elif size >= 1e9 or size < 0.5 * 10**-digits:
        shown = f"{size:.2g}"
    elif size < 10:
        shown = f"{size:.{digits}f}"
    elif size < 1000:
        shown = f"{size:.4g}"
    else:
        shown = f"{size:,.0f}"
    return MINUS + shown if value < 0 else shown


def fixed(value: float | None, digits: int = 3) -> str:
    """Return a figure with so many decimals, so that figures line up in a column.

    Examples
    --------
    >>> fixed(1), fixed(-0.0004)
    ('1.000', '0.000')
    """
    if value is None or not math.isfinite(value):
        return DASH
    if abs(value) >= 1000:
        return amount(value)
    shown = f"{abs(value):.{digits}f}"
    return MINUS + shown if value < 0 and float(shown) else shown


def percent(share: float | None) -> str:
    """Return a share of rows.

    Examples
    --------
    >>> [percent(share).split("%")[0].strip() for share in (0.5, 0.0123, 0.00001, 0)]
    ['50', '1.2', '<0.1', '0']
    """
    if share is None or not math.isfinite(share):
        return DASH
    size = 100 * abs(share)
    shown = "<0.1" if 0 < size < 0.1 else f"{size:.1f}".removesuffix(".0")
    return f"{MINUS if share < 0 else ''}{shown}{NARROW_SPACE}%"


def listed(words: list[str], limit: int = 5) -> str:
    """Return words as a list in a sentence.

    Examples
    --------
    >>> listed(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    if len(words) > limit:
        return f"{', '.join(words[:limit])} and {len(words) - limit} more"
    return ", ".join(words)
