"""Which kind is each column, and why: one function per question.

Patterns are looked for in at most ``SAMPLE`` evenly spaced values, so that long tables cost little;
what must hold for every row (unique, whole, decimals) is checked on all of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from synthgen.data.column import Column
from synthgen.data.datetext import guess_format
from synthgen.data.dtypes import dtype_name, family, is_integer_dtype
from synthgen.data.identify import find_integer_id, find_text_id, named_like_id
from synthgen.data.numbertext import find_number_text
from synthgen.data.pii import find_pii
from synthgen.data.precision import find_decimals, find_resolution
from synthgen.data.values import dates, to_numbers
from synthgen.data.zones import zone_name
from synthgen.errors import DataWarning

SAMPLE: Final = 10_000
_MANY_DISTINCT: Final = 0.5
#: Below this many rows, nothing is said about how often values repeat.
_ENOUGH_ROWS: Final = 20
_TEXT_WORDS: Final = 3.0
_PROSE_WORDS: Final = 8.0
#: Share of texts that may be of another form than the rest; they become missing values.
_STRAY: Final = 0.01
_MEASURED: Final = ("numeric", "integer", "datetime")
_LARGEST_WHOLE: Final = 2.0**53


@dataclass(frozen=True)
class Look:
    """One column and what every question needs to know about it.

    Parameters
    ----------
    name : hashable
        Label of the column.
    dtype : str
        Name of its dtype.
    present : pandas.Series
        The values that are not missing.
    sample : numpy.ndarray of object
        Up to ``SAMPLE`` of them.
    nullable : bool
        Whether any are missing.
    """

    name: Hashable
    dtype: str
    present: pd.Series
    sample: np.ndarray
    nullable: bool

    def column(self, kind: Any, reason: str, **facts: Any) -> Column:
        """Return the verdict."""
        return Column(self.name, kind, self.dtype, self.nullable, reason, **facts)

    def distinct(self) -> int:
        """Return how many different values there are."""
        return int(self.present.nunique())


def infer_columns(frame: pd.DataFrame) -> tuple[Column, ...]:
    """Infer all columns of a plain frame (see :func:`synthgen.data.frame.read_frame`).

    Warns
    -----
    DataWarning
        Once each for text, personal data and categories that hardly repeat.
    """
    columns = tuple(infer_column(name, frame[name]) for name in frame.columns)
    _warn(columns, frame)
    return columns


def complete_column(column: Column, series: pd.Series) -> Column:
    """Take dtype, gaps and unknown facts from data, kind and known facts from the column.

    Raises
    ------
    InvalidParameterError
        If the values cannot be of the column's kind.
    """
    found = infer_column(column.name, series)
    facts: dict[str, Any] = {"dtype": found.dtype, "nullable": column.nullable or found.nullable}
    if found.kind == column.kind:
        facts |= {
            field: getattr(found, field)
            for field in ("decimals", "format", "resolution", "time_zone", "pattern", "categories")
            if getattr(column, field) is None
        }
    if family(found.dtype) not in ("string", "object") and column.kind in _MEASURED:
        facts["format"] = None
    return column.changed(**facts)


def infer_column(name: Hashable, series: pd.Series) -> Column:
    """Infer one column."""
    look = look_at(name, series)
    for question in _QUESTIONS:
        column = question(look)
        if column is not None:
            return column
    return look.column("categorical", f"values of dtype {look.dtype}")


def look_at(name: Hashable, series: pd.Series) -> Look:
    """Gather what the questions need."""
    missing = series.isna()
    nullable = bool(missing.any())
    present = series[~missing] if nullable else series
    step = max(1, -(-len(present) // SAMPLE))
    sample = present.iloc[::step].to_numpy(dtype=object)
    return Look(name, dtype_name(series), present, sample, nullable)


def ask_constant(look: Look) -> Column | None:
    """Recognise columns of at most one value."""
    if not len(look.present):
        return look.column("constant", "all values are missing")
    if len(look.sample) > 1 and look.sample[0] != look.sample[-1]:
        return None
    if look.distinct() > 1:
        return None
    return look.column("constant", f"the only value is {look.sample[0]!r}")


def ask_boolean(look: Look) -> Column | None:
    """Recognise values that are true or false."""
    if family(look.dtype) == "boolean":
        return look.column("boolean", f"dtype {look.dtype}")
    if look.dtype == "object" and pd.api.types.infer_dtype(look.present) == "boolean":
        return look.column("boolean", "objects True and False")
    return None


def ask_category(look: Look) -> Column | None:
    """Recognise declared levels."""
    if family(look.dtype) != "category":
        return None
    levels = tuple(look.present.cat.categories)
    hidden = None if look.present.cat.ordered else _made_up(look)
    if hidden is not None:
        return hidden
    if look.present.cat.ordered:
        return look.column("ordinal", "ordered categories were declared", categories=levels)
    return look.column("categorical", "categories were declared", categories=levels)


def _made_up(look: Look) -> Column | None:
    """Recognise personal data and keys that were declared as levels: they must not be repeated."""
    if not len(look.sample) or pd.api.types.infer_dtype(look.sample) != "string":
        return None
    texts = np.array([str(value) for value in look.sample], dtype=object)
    distinct = np.asarray(pd.unique(texts), dtype=object)
    return _personal_text(look, texts) or _key_text(look, distinct)


def ask_datetime(look: Look) -> Column | None:
    """Recognise dates, times and time spans."""
    kind = family(look.dtype)
    if kind == "datetime":
        zone = _time_zone(look)
        resolution = find_resolution(dates(look.present, None), zone)
        return look.column("datetime", f"dtype {look.dtype}", resolution=resolution, time_zone=zone)
    if kind in ("timedelta", "time"):
        seconds = to_numbers(look.present, look.column("timedelta", ""))
        spans = np.rint(seconds * 1e6).astype(np.int64).astype("timedelta64[us]")
        reason = "times of day" if kind == "time" else f"dtype {look.dtype}"
        return look.column("timedelta", reason, resolution=find_resolution(spans, None))
    return None


def ask_number(look: Look) -> Column | None:
    """Recognise numbers, and whether they measure something or name it."""
    if family(look.dtype) == "decimal":
        return _decimal_column(look)
    content = pd.api.types.infer_dtype(look.present) if look.dtype == "object" else ""
    is_object = content in ("integer", "floating", "mixed-integer-float")
    if family(look.dtype) != "number" and not is_object:
        return None
    values = to_numbers(look.present, look.column("numeric", ""))
    whole_type = is_integer_dtype(look.dtype) or content == "integer"
    whole = whole_type or bool((values == np.rint(values)).all())
    if whole:
        special = _special_integers(look, values)
        if special is not None:
            return special
    if whole_type or (whole and np.abs(values).max() < _LARGEST_WHOLE):
        decimals = find_decimals(values, highest=0)
        reason = "whole numbers" + ("" if whole_type else " stored as floats")
        return look.column("integer", reason, decimals=decimals or None)
    single = look.dtype in ("float32", "Float32")
    decimals = find_decimals(values, highest=10, single=single)
    reason = "numbers" if decimals is None else f"numbers with up to {decimals} decimals"
    return look.column("numeric", reason, decimals=decimals)


def _special_integers(look: Look, values: np.ndarray) -> Column | None:
    pii = find_pii(look.name, look.sample)
    if pii is not None:
        return look.column("pii", pii.reason, pii=pii.kind)
    reason = find_integer_id(look.name, values)
    if reason is not None:
        return look.column("id", reason)
    if named_like_id(look.name):
        return _shared_key(look)
    if _are_codes(values):
        return look.column("categorical", "a few whole numbers of the same length, like codes")
    return None


def _shared_key(look: Look) -> Column:
    """Tell keys of a few rows each, which nothing can be learned about, from categories."""
    n_rows = len(look.present)
    if n_rows >= _ENOUGH_ROWS and look.distinct() > _MANY_DISTINCT * n_rows:
        return look.column("id", "named like a key; most of its values have one or two rows")
    return look.column("categorical", "named like a key, but its values repeat")


def _are_codes(values: np.ndarray) -> bool:
    """Whether whole numbers look like post codes and the like: same length, few, irregular."""
    low, high = float(values.min()), float(values.max())
    if low < 2_200 or len(str(int(low))) != len(str(int(high))):  # years are below
        return False
    head = np.unique(values[:SAMPLE])
    if len(head) > 100 or len(head) * 20 > len(values[:SAMPLE]):
        return False
    levels = np.unique(values)
    gaps = np.unique(np.diff(levels))
    few = len(levels) <= 100 and len(levels) * 20 <= len(values)
    return few and len(gaps) > 1 and not (levels % 10 == 0).all() and bool(high - low < 0.1 * low)


def _decimal_column(look: Look) -> Column:
    exponents = [value.as_tuple().exponent for value in look.present.to_numpy()]
    decimals = max(0, -min(e for e in exponents if isinstance(e, int)))
    return look.column("numeric", f"decimal numbers with {decimals} places", decimals=decimals)


def ask_text(look: Look) -> Column | None:
    """Sort strings into what they mean."""
    content = pd.api.types.infer_dtype(look.sample)
    if content != "string":
        return None
    texts = np.array([str(value) for value in look.sample], dtype=object)
    distinct = np.asarray(pd.unique(texts), dtype=object)
    return (
        _personal_text(look, texts)
        or _date_text(look, distinct)
        or _number_text(look, distinct)
        or _key_text(look, distinct)
        or _free_text(look, texts, distinct)
    )


def _personal_text(look: Look, texts: np.ndarray) -> Column | None:
    pii = find_pii(look.name, texts)
    return None if pii is None else look.column("pii", pii.reason, pii=pii.kind)


def _date_text(look: Look, distinct: np.ndarray) -> Column | None:
    if len(distinct) < 2:
        return None
    form = guess_format(distinct)
    if form is None:
        return None
    moments = dates(look.present, form)
    if np.isnat(moments).mean() > _STRAY:
        return None
    resolution = find_resolution(moments[~np.isnat(moments)], None)
    reason = f"text dates like {distinct[0]!r}"
    zone = "UTC" if "%z" in form else None
    facts = {"format": form, "resolution": resolution, "time_zone": zone}
    return look.column("datetime", reason, **facts)


def _number_text(look: Look, distinct: np.ndarray) -> Column | None:
    form = find_number_text(distinct)
    if form is None:
        return None
    values = to_numbers(look.present, look.column("numeric", "", format=form))
    if np.isnan(values).mean() > _STRAY:
        return None
    decimals = find_decimals(values[np.isfinite(values)], highest=10)
    return look.column("numeric", "decimal numbers as text", decimals=decimals, format=form)


def _key_text(look: Look, distinct: np.ndarray) -> Column | None:
    if len(distinct) < 0.9 * len(look.sample):
        return None
    found = find_text_id(look.name, distinct, look.distinct() / len(look.present))
    return None if found is None else look.column("id", found.reason, pattern=found.pattern)


def _free_text(look: Look, texts: np.ndarray, distinct: np.ndarray) -> Column:
    share = len(distinct) / len(texts)
    words = float(np.mean([text.count(" ") + 1 for text in texts[:1_000]]))
    enough = len(distinct) >= 10 or words >= _PROSE_WORDS
    if enough and share > _MANY_DISTINCT and words >= _TEXT_WORDS:
        reason = f"{share:.0%} of the texts are distinct, {words:.0f} words on average"
        return look.column("text", reason)
    if named_like_id(look.name):
        return _shared_key(look)
    return look.column("categorical", f"text with {look.distinct():,} distinct values")


def _time_zone(look: Look) -> str | None:
    dtype: Any = look.present.dtype
    if isinstance(dtype, pd.DatetimeTZDtype):
        return zone_name(dtype.tz)
    zone = getattr(look.sample[0], "tzinfo", None)
    return None if zone is None else zone_name(zone)


_QUESTIONS: Final[tuple[Callable[[Look], Column | None], ...]] = (
    ask_constant,
    ask_boolean,
    ask_category,
    ask_datetime,
    ask_number,
    ask_text,
)


def _warn(columns: tuple[Column, ...], frame: pd.DataFrame) -> None:
    text = [column.name for column in columns if column.kind == "text"]
    if text:
        warnings.warn(
            f"Free text is not learned but replaced by shuffled words: {text}. Set another kind "
            "with schema.with_column(name, kind=...) if it has few distinct values.",
            DataWarning,
            stacklevel=4,
        )
    personal = {column.name: column.pii for column in columns if column.kind == "pii"}
    if personal:
        warnings.warn(
            f"Personal data were found and will be made up anew, not learned: {personal}. "
            "Set another kind with schema.with_column(name, kind=...) if this is wrong.",
            DataWarning,
            stacklevel=4,
        )
    rare = [column.name for column in columns if _hardly_repeats(column, frame)]
    if rare:
        warnings.warn(
            f"Most values of these categories occur only once or twice: {rare}. Synthetic rows "
            "will repeat real values; consider kind='id', 'text' or 'pii' for them.",
            DataWarning,
            stacklevel=4,
        )


def _hardly_repeats(column: Column, frame: pd.DataFrame) -> bool:
    if column.kind != "categorical" or len(frame) < _ENOUGH_ROWS:
        return False
    head = frame[column.name].iloc[:SAMPLE].dropna()
    if head.nunique() <= _MANY_DISTINCT * len(head) or not len(head):
        return False
    whole = frame[column.name].dropna()
    return bool(whole.nunique() > _MANY_DISTINCT * len(whole))
