"""Words in a column's label."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Final

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def words_of(name: Hashable) -> tuple[str, ...]:
    """Split a label into lower-case words.

    Examples
    --------
    >>> words_of("CustomerID"), words_of("host_name"), words_of("ZIP code")
    (('customer', 'id'), ('host', 'name'), ('zip', 'code'))
    """
    return tuple(word.lower() for word in _WORD.findall(str(name)))


def word_list(text: str) -> tuple[str, ...]:
    """Split a long list of words that is written as one text for legibility."""
    return tuple(text.split())
