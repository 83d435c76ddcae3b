"""Dates written as text: which format, text to dates, dates to the same text.

Formats are those of ``datetime.strptime`` with two additions that reading ignores and writing
obeys: ``%-m`` (also d, H, I) is a number without a leading zero, ``%3f`` has three digits.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import pandas as pd

#: Date formats that are tried, the more usual reading of an ambiguous text first.
DATE_FORMATS: Final = (
    "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y",
    "%m/%d/%y", "%d/%m/%y", "%d.%m.%y", "%d-%m-%y", "%m-%d-%y", "%Y%m%d", "%d %b %Y", "%d-%b-%Y",
    "%d-%b-%y", "%d%b%Y", "%b %d, %Y", "%b %d %Y", "%d %B %Y", "%B %d, %Y", "%a, %d %b %Y",
    "%a %b %d %Y", "%Y-%m", "%Y/%m", "%m/%Y", "%b %Y", "%B %Y", "%b-%y", "%b-%Y",
)  # fmt: skip

_TIME: Final = re.compile(
    r"(?P<date>.*?)(?P<gap>T|,? +)\d{1,2}:\d{2}(?P<second>:\d{2}(?:\.(?P<part>\d{1,6}))?)?"
    r"(?P<noon> ?[AaPp][Mm])?(?P<zone>Z| ?[+-]\d{2}:?\d{2})?"
)
_DIRECTIVE: Final = re.compile(r"%(?P<flag>[-1-6^#])?(?P<code>[A-Za-z])")
#: Flags of words that are all in capitals, or all in small letters.
_CASES: Final[dict[str, Callable[[str], str]]] = {"^": str.upper, "#": str.lower}
_PATTERNS: Final = {
    "Y": r"\d{4}", "y": r"\d{2}", "m": r"\d{1,2}", "d": r"\d{1,2}", "H": r"\d{1,2}",
    "I": r"\d{1,2}", "M": r"\d{2}", "S": r"\d{2}", "f": r"\d{1,6}", "p": r"[AaPp][Mm]",
    "b": r"[A-Za-z]{3}", "B": r"[A-Za-z]{3,9}", "a": r"[A-Za-z]{3}", "z": r"(?:Z|[+-]\d\d:?\d\d)",
}  # fmt: skip
_ENOUGH: Final = 0.99


def guess_format(texts: np.ndarray) -> str | None:
    """Find the one format in which at least 99 % of `texts` are dates.

    Parameters
    ----------
    texts : numpy.ndarray of str
        Distinct values, none missing.

    Examples
    --------
    >>> guess_format(np.array(["12/19/21", "1/1/20"], dtype=object))
    '%-m/%-d/%y'
    >>> guess_format(np.array(["2013-01-01T10:00:00Z"], dtype=object))
    '%Y-%m-%dT%H:%M:%SZ'
    """
    best, best_share = None, _ENOUGH
    for candidate in _candidates(str(texts[0]), str(texts[-1])):
        expression = _expression(candidate)
        matches = [expression.fullmatch(text) for text in texts]
        share = sum(match is not None for match in matches) / len(texts)
        if share < best_share or (best is not None and share == best_share):
            continue
        parsed = parse_unique(texts, candidate)
        years = parsed.astype("datetime64[Y]").astype(np.int64) + 1970
        share = float(np.mean(~np.isnat(parsed) & (years >= 1000)))
        if share > best_share or (best is None and share >= _ENOUGH):
            best, best_share = _with_flags(candidate, [m for m in matches if m]), share
    return best


def parse_text(texts: np.ndarray, form: str) -> np.ndarray:
    """Read dates; what is not of the format is missing.

    Parameters
    ----------
    texts : numpy.ndarray of object
        Strings and missing values.
    form : str

    Returns
    -------
    numpy.ndarray of datetime64[us]
        In UTC if the format has ``%z``.
    """
    codes, levels = pd.factorize(texts)
    parsed = parse_unique(np.asarray(levels, dtype=object), form)
    return np.asarray(np.append(parsed, np.datetime64("NaT", "us"))[codes])


def parse_unique(texts: np.ndarray, form: str) -> np.ndarray:
    """Read distinct dates, see :func:`parse_text`."""
    plain = plain_format(form)
    utc = "%z" in plain
    index = pd.to_datetime(
        pd.Index(texts, dtype=object), format=plain, errors="coerce", utc=utc, cache=False
    )
    index = index.tz_localize(None) if utc else index
    parsed = np.array(index, dtype="datetime64[us]")
    for i in np.flatnonzero(np.isnat(parsed)):  # pandas 2 cannot read years after 2262
        parsed[i] = _parse_one(texts[i], plain)
    return parsed


def format_text(dates: np.ndarray, form: str) -> np.ndarray:
    """Write dates as text.

    Parameters
    ----------
    dates : numpy.ndarray of datetime64
        Not missing.
    form : str

    Returns
    -------
    numpy.ndarray of object (str)

    Examples
    --------
    >>> format_text(np.array(["2021-02-03T04:05"], "datetime64[us]"), "%-m/%-d/%y %H:%M")
    array(['2/3/21 04:05'], dtype=object)
    """
    index = pd.DatetimeIndex(dates.astype("datetime64[us]"))
    result: Any = None
    for literal, flag, code in _pieces(form):
        if not code:
            part: Any = literal
        else:
            values, table = _FIELDS[code](index)
            texts = np.array([literal + _flagged(text, flag) for text in table], dtype=object)
            part = texts[values]
        result = part if result is None else result + part
    if isinstance(result, str):
        result = np.full(len(index), result, dtype=object)
    return np.asarray(result, dtype=object)


def plain_format(form: str) -> str:
    """Return the format without the additions, as ``datetime.strptime`` wants it."""
    return _DIRECTIVE.sub(lambda match: "%" + match["code"], form)


def _candidates(first: str, last: str) -> Iterator[str]:
    """Yield the formats of two texts (two, so that a stray one does not decide alone)."""
    for text in dict.fromkeys((first, last)):
        match = _TIME.fullmatch(text)
        date, tail = (match["date"], _time_format(match)) if match else (text, "")
        for form in DATE_FORMATS:
            if _expression(form).fullmatch(date):
                yield form + tail
                if match and match["zone"]:
                    yield form + tail.removesuffix(match["zone"]) + "%z"


def _time_format(match: re.Match[str]) -> str:
    form = match["gap"] + ("%I" if match["noon"] else "%H") + ":%M"
    if match["second"]:
        form += ":%S" + (".%f" if match["part"] else "")
    if match["noon"]:
        form += " %p" if match["noon"].startswith(" ") else "%p"
    return form + (match["zone"] or "")


def _pieces(form: str) -> Iterator[tuple[str, str, str]]:
    """Yield (literal before, flag, code) for every directive, and the literal at the end."""
    position = 0
    for match in _DIRECTIVE.finditer(form):
        yield form[position : match.start()], match["flag"] or "", match["code"]
        position = match.end()
    if position < len(form):
        yield form[position:], "", ""


def _expression(form: str) -> re.Pattern[str]:
    pieces = [re.escape(text) + (f"({_PATTERNS[c]})" if c else "") for text, _, c in _pieces(form)]
    return re.compile("".join(pieces))


def _with_flags(form: str, matches: list[re.Match[str]]) -> str:
    """Add the flags that reproduce how the numbers are padded."""
    result = ""
    for i, (literal, _, code) in enumerate(_pieces(form)):
        result += literal
        if not code:
            continue
        texts = {match.group(i + 1) for match in matches}
        flag = ""
        if code in "mdHI" and any(len(text) == 1 for text in texts):
            flag = "-"
        elif code == "f":
            digits = max(len(text) for text in texts)
            flag = "" if digits == 6 else str(digits)
        elif code in "bBap":
            flag = _case_of(texts, "PM" if code == "p" else "May")
        result += f"%{flag}{code}"
    return result


def _case_of(texts: set[str], usual: str) -> str:
    """Return the flag of words that are all in capitals or all in small letters, if unusual."""
    for flag, change in _CASES.items():
        if change(usual) != usual and all(change(text) == text for text in texts):
            return flag
    return ""


def _flagged(text: str, flag: str) -> str:
    if flag == "-":
        return text.lstrip("0") or "0"
    if flag in _CASES:
        return _CASES[flag](text)
    return text[: int(flag)] if flag else text


def _parse_one(text: str, form: str) -> np.datetime64:
    try:
        moment = dt.datetime.strptime(text, form)
    except (ValueError, TypeError):
        return np.datetime64("NaT", "us")
    if moment.tzinfo is not None:
        moment = moment.astimezone(dt.UTC).replace(tzinfo=None)
    return np.datetime64(moment, "us")


_Field = Callable[[pd.DatetimeIndex], tuple[np.ndarray, list[str]]]


def _number(attribute: str, size: int, width: int = 2) -> _Field:
    table = [str(k).zfill(width) for k in range(size)]
    return lambda index: (getattr(index, attribute).to_numpy(), table)


def _year(index: pd.DatetimeIndex) -> tuple[np.ndarray, list[str]]:
    years = index.year.to_numpy()
    low, high = int(years.min(initial=9999)), int(years.max(initial=0))
    return years - low, [str(year).zfill(4) for year in range(low, high + 1)]


def _fraction(index: pd.DatetimeIndex) -> tuple[np.ndarray, list[str]]:
    codes, levels = pd.factorize(index.microsecond.to_numpy())
    return codes, [str(level).zfill(6) for level in levels]


_MONTHS: Final = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
]  # fmt: skip
_DAYS: Final = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
_FIELDS: Final[dict[str, _Field]] = {
    "Y": _year,
    "y": lambda index: (index.year.to_numpy() % 100, [str(k).zfill(2) for k in range(100)]),
    "m": _number("month", 13),
    "d": _number("day", 32),
    "H": _number("hour", 24),
    "I": lambda index: ((index.hour.to_numpy() - 1) % 12, [str(k).zfill(2) for k in range(1, 13)]),
    "M": _number("minute", 60),
    "S": _number("second", 60),
    "f": _fraction,
    "p": lambda index: (index.hour.to_numpy() // 12, ["AM", "PM"]),
    "b": lambda index: (index.month.to_numpy() - 1, [name[:3] for name in _MONTHS]),
    "B": lambda index: (index.month.to_numpy() - 1, _MONTHS),
    "a": lambda index: (index.day_of_week.to_numpy(), _DAYS),
    "z": lambda index: (np.zeros(len(index), dtype=np.int64), ["+00:00"]),
}


def formattable(form: str) -> bool:
    """Whether :func:`format_text` knows every directive of the format."""
    codes = [code for _, _, code in _pieces(form) if code]
    return bool(codes) and all(code in _FIELDS for code in codes)
