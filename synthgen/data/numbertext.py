"""Numbers that are stored as text: how they are written, read and written again.

A format is one of printf, ``"%.2f"``, the shortest form, ``"%g"`` and ``"%r"``, or one of amounts:
what stands before, ``%``, the mark of thousands if any, the decimal mark, the number of decimals,
``f``, and what stands after. ``"$%,.2f"`` writes $1,234.50 and ``"%.,2f €"`` writes 1.234,50 €.
Brackets around it mark negative amounts, as accounts have it: ``"(%,.2f)"`` writes (12.00) for -12.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd

_NUMBER: Final = re.compile(r"[+-]?\d+(?:\.(\d+))?")
#: What may stand beside an amount: a currency or a percent sign. Other letters make codes.
_CURRENCIES: Final = (
    "USD", "EUR", "GBP", "JPY", "CNY", "INR", "CHF", "AUD", "CAD", "NZD", "HKD", "SGD", "SEK",
    "NOK", "DKK", "PLN", "CZK", "HUF", "TRY", "BRL", "MXN", "ZAR", "KRW", "kr", "zł",
)  # fmt: skip
#: Units after a space and decimals, the same in all texts: 83.6 kg. Whole numbers are codes.
_MEASURE: Final = r"\s[A-Za-zµ°²³/%]{1,8}"
_UNIT: Final = rf"(?:[$€£¥₹₽₩%]|(?:US|CA|AU|A|C|R|HK|NZ)\$|{'|'.join(_CURRENCIES)})"
_FORM: Final = re.compile(
    r"(?P<before>.*?)%(?P<group>[,.]?)(?P<point>[.,])(?P<digits>\d)f(?P<after>.*)"
)
#: Share of the texts that must be written alike, and how many are enough to say so.
_ALIKE: Final = 0.99
_ENOUGH: Final = 20
_LONGEST: Final = 9


@dataclass(frozen=True)
class AmountFormat:
    """How amounts are written.

    Parameters
    ----------
    before, after : str
        Currency, percent sign or unit, with the space beside the number; with a bracket each if
        brackets mark negative amounts.
    group : str
        Mark of thousands; empty without.
    point : str
        Decimal mark.
    digits : int
        Number of decimals.
    """

    before: str
    group: str
    point: str
    digits: int
    after: str

    @classmethod
    def parse(cls, form: str) -> AmountFormat | None:
        """Read a format; None if it is one of printf's own."""
        match = _FORM.fullmatch(form)
        if match is None or form == f"%.{match['digits']}f":
            return None
        before, group, point, digits, after = match.groups()
        return cls(before, group, point, int(digits), after)

    def __str__(self) -> str:
        return f"{self.before}%{self.group}{self.point}{self.digits}f{self.after}"

    @property
    def _sides(self) -> tuple[str, str, bool]:
        """What stands beside a positive amount, and whether brackets mark negative ones."""
        if self.before.startswith("(") and self.after.endswith(")"):
            return self.before[1:], self.after[:-1], True
        return self.before, self.after, False

    @property
    def _expression(self) -> re.Pattern[str]:
        group, point = re.escape(self.group), re.escape(self.point)
        whole = rf"\d{{1,3}}(?:{group}\d{{3}})+|\d+" if group else r"\d+"
        fraction = rf"(?:{point}(?P<fraction>\d{{{self.digits}}}))" if self.digits else ""
        before, after, brackets = self._sides
        middle = rf"(?P<whole>{whole}){fraction}{re.escape(after)}"
        if brackets:
            return re.compile(rf"(?P<sign>\()?(?P<inner>){re.escape(before)}{middle}(?(sign)\))")
        return re.compile(rf"(?P<sign>-?){re.escape(before)}(?P<inner>-?){middle}")

    def read(self, texts: np.ndarray) -> np.ndarray:
        """Return numbers; NaN for what is missing or not written so."""
        expression = self._expression
        codes, levels = pd.factorize(texts)
        values = np.full(len(levels) + 1, np.nan)
        for place, text in enumerate(levels):
            match = expression.fullmatch(text) if isinstance(text, str) else None
            if match is not None:
                whole = match["whole"].replace(self.group, "") if self.group else match["whole"]
                fraction = match["fraction"] if self.digits else "0"
                sign = -1.0 if match["sign"] or match["inner"] else 1.0
                values[place] = sign * float(f"{whole}.{fraction}")
        return np.asarray(values[codes])

    def write(self, value: float) -> str:
        """Return the text of a number."""
        text = f"{abs(value):{',' if self.group else ''}.{self.digits}f}"
        marks = str.maketrans({",": self.group, ".": self.point})
        before, after, brackets = self._sides
        written = f"{before}{text.translate(marks)}{after}"
        if value >= 0:
            return written
        return f"({written})" if brackets else f"-{written}"


def find_number_text(texts: np.ndarray) -> str | None:
    """Return how numbers are written if 99 % of the texts are decimal numbers or amounts.

    Whole numbers alone do not count: they are codes more often than not.

    Parameters
    ----------
    texts : numpy.ndarray of str
        Distinct values.

    Returns
    -------
    str or None
        ``"%.2f"`` and the like, ``"%r"`` or ``"%g"`` where the digits vary, ``"$%,.2f"`` and the
        like for amounts.

    Examples
    --------
    >>> find_number_text(np.array([f"{k / 4:.2f}" for k in range(40)], dtype=object))
    '%.2f'
    >>> find_number_text(np.array([f"${k * 99:,}" for k in range(40)], dtype=object))
    '$%,.0f'
    """
    matches = [match for match in map(_NUMBER.fullmatch, texts) if match]
    if len(matches) < max(_ENOUGH, _ALIKE * len(texts)):
        return _find_amounts(texts)
    if any(re.match(r"[+-]?0\d", match.string) for match in matches):
        return None
    digits = {len(match[1] or "") for match in matches}
    if digits == {0}:
        return None
    if len(digits) == 1:
        return f"%.{digits.pop()}f"
    return "%g" if 0 in digits else "%r"


def read_numbers(texts: np.ndarray, form: str | None) -> np.ndarray:
    """Return the numbers that texts stand for; NaN for what is missing or none."""
    amounts = None if form is None else AmountFormat.parse(form)
    if amounts is not None:
        return amounts.read(texts)
    numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce")
    return np.asarray(numbers, dtype=np.float64)


def write_numbers(values: np.ndarray, form: str) -> list[str]:
    """Return numbers as texts."""
    amounts = AmountFormat.parse(form)
    if amounts is not None:
        return [amounts.write(float(value)) for value in values]
    if form in ("%r", "%g"):
        texts = [repr(float(value)) for value in values]
        return texts if form == "%r" else [text.removesuffix(".0") for text in texts]
    return [form % value for value in values]


def _find_amounts(texts: np.ndarray) -> str | None:
    if len(texts) < _ENOUGH:
        return None
    plain = [str(text).removeprefix("(").removesuffix(")") for text in (texts[0], texts[-1])]
    inside = [text.startswith("(") and text.endswith(")") for text in map(str, texts)]
    brackets = any(inside) and not all(inside)
    for found in _candidates(*plain, brackets=brackets):
        readable = found.read(texts)
        # What would be written otherwise than it was is no such amount, such as 007 %.
        same = sum(
            found.write(number) == text
            for number, text in zip(readable, texts, strict=True)
            if not np.isnan(number)
        )
        if same >= _ALIKE * len(texts) - (readable < 0).sum():
            return str(found)
    return None


def _candidates(first: str, last: str, *, brackets: bool) -> Iterator[AmountFormat]:
    """Yield formats of two texts (two, so that a stray one does not decide alone)."""
    for text in dict.fromkeys((first, last)):
        match = re.fullmatch(
            rf"-?(?P<before>(?:{_UNIT}\s?)?)-?(?P<number>\d[\d.,]*)"
            rf"(?P<after>(?:\s?{_UNIT}|{_MEASURE})?)",
            text,
        )
        if match is None:
            continue
        before, after = match["before"], match["after"]
        for point in ".,":
            _, mark, fraction = match["number"].rpartition(point)
            digits = len(fraction) if mark else 0
            for group in ("", "," if point == "." else "."):
                if digits > _LONGEST or (not digits and re.fullmatch(_MEASURE, after)):
                    continue
                if brackets:
                    yield AmountFormat(f"({before}", group, point, digits, f"{after})")
                elif before or after or group or (point == "," and digits):
                    yield AmountFormat(before, group, point, digits, after)
