"""Whether a column is the key of its rows."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

import numpy as np

from synthgen.data.naming import words_of
from synthgen.data.pattern import UUID, learn_pattern

_KEY_WORDS: Final = frozenset({"id", "ids", "uuid", "guid", "pk", "key", "hash", "identifier"})
_ROW_WORDS: Final = frozenset({"index", "idx", "row", "rownum", "unnamed", "no", "nr", "number"})
_ALMOST_ALL: Final = 0.98
_MOST: Final = 0.95
_SMALLEST: Final = 20


@dataclass(frozen=True)
class TextId:
    """Why texts are keys, and their form if they have a common one."""

    reason: str
    pattern: str | None


def named_like_id(name: Hashable) -> bool:
    """Whether the label says that the column is a key.

    Examples
    --------
    >>> named_like_id("host_id"), named_like_id("CustomerID"), named_like_id("humidity")
    (True, True, False)
    """
    words = words_of(name)
    return bool(words) and (words[-1] in _KEY_WORDS or words[0] in ("id", "uuid", "guid", "pk"))


def _needed(name: Hashable) -> float:
    """Return the share of distinct values that keys of this label have at least."""
    if not named_like_id(name):
        return _ALMOST_ALL
    return 0.9 if len(words_of(name)) == 1 else _MOST


def find_integer_id(name: Hashable, values: np.ndarray) -> str | None:
    """Say why whole numbers are keys, or None if they are not.

    Parameters
    ----------
    name : hashable
    values : numpy.ndarray of float64
        Whole numbers, none missing.
    """
    if len(values) < 2:
        return None
    head = values[:10_000]
    named = named_like_id(name)
    needed = _needed(name)
    if len(np.unique(head)) < needed * len(head):
        return None
    distinct = len(np.unique(values))
    if named and distinct >= needed * len(values):
        share = "all" if distinct == len(values) else f"{distinct / len(values):.0%}"
        return f"named like a key and {share} values are distinct"
    if distinct < len(values):
        return None
    with np.errstate(over="ignore"):  # between the largest numbers there are
        steps = np.diff(values)
    if not ((steps > 0).all() or (steps < 0).all()):
        return None
    words = words_of(name)
    if words and words[0] in _ROW_WORDS and len(words) <= 2:
        return "named like a row number, unique and in order"
    if _is_row_number(values, np.abs(steps)):
        return "distinct whole numbers in order without gaps, like a row number"
    return None


def _is_row_number(values: np.ndarray, steps: np.ndarray) -> bool:
    if len(values) < _SMALLEST or np.mean(steps == 1) < 0.9:
        return False
    low = values.min()
    years = low >= 1000 and values.max() <= 2200
    return not years


def find_text_id(name: Hashable, texts: np.ndarray, distinct_share: float) -> TextId | None:
    """Say why texts are keys and of which form, or None if they are not.

    Parameters
    ----------
    name : hashable
    texts : numpy.ndarray of str
        Distinct values.
    distinct_share : float
        Number of distinct values of the whole column over its number of rows.
    """
    if distinct_share < _needed(name) or len(texts) < 2:
        return None
    pattern = learn_pattern(texts)
    if pattern in (UUID, UUID.upper()):
        return TextId("all texts are distinct UUIDs", pattern)
    if named_like_id(name):
        return TextId("named like a key and the texts are distinct", pattern)
    if pattern is None or distinct_share < 1:
        return None
    with_digits = np.mean([any(c.isdigit() for c in text) for text in texts])
    same_length = len({len(text) for text in texts}) == 1
    codes = all(not any(c.islower() for c in text) for text in texts)
    enough = len(texts) >= _SMALLEST
    if enough and (with_digits >= 0.9 or (same_length and codes and len(texts) >= 100)):
        return TextId("all texts are distinct and of one form", pattern)
    return None
