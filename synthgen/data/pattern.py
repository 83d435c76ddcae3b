r"""Forms of ids: learned from examples, written as a small regular expression, counted and filled.

The language has literals, ``\d``, character classes such as ``[A-Z0-9]``, repetition ``{n}`` and
``|`` between alternatives.
"""

from __future__ import annotations

import re
import string
from collections import defaultdict
from math import prod
from typing import Final

import numpy as np

from synthgen.errors import InvalidParameterError

#: UUIDs of version 4 (RFC 9562): random but for the version and variant digits.
UUID: Final = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"

_UUID_TEXT: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX: Final = "abcdef"
_LOWER: Final = string.ascii_lowercase
_UPPER: Final = string.ascii_uppercase
_DIGITS: Final = string.digits
_DIGIT: Final = r"\d"
_WORD: Final = r"\w"
#: Character classes from small to large.
_CLASSES: Final[tuple[tuple[str, str], ...]] = (
    (_DIGITS, _DIGIT),
    (_DIGITS + _HEX, "[0-9a-f]"),
    (_DIGITS + _HEX.upper(), "[0-9A-F]"),
    (_UPPER, "[A-Z]"),
    (_LOWER, "[a-z]"),
    (_DIGITS + _UPPER, "[0-9A-Z]"),
    (_DIGITS + _LOWER, "[0-9a-z]"),
    (_UPPER + _LOWER, "[A-Za-z]"),
    (_DIGITS + _UPPER + _LOWER, "[0-9A-Za-z]"),
)
_HEX_CLASSES: Final = ("[0-9a-f]", "[0-9A-F]")
_MAX_LENGTHS: Final = 12
_LITERAL_FROM: Final = 20
_TOKEN: Final = re.compile(r"(\\.|\[(?:\\.|[^\]])+\]|[^\\\[\]{}()*+?|])(?:\{(\d+)\})?", re.S)


def learn_pattern(texts: np.ndarray) -> str | None:
    r"""Return the form of texts without spaces, or None if they have no common one.

    Examples
    --------
    >>> learn_pattern(np.array([f"AB-{k:03d}x" for k in range(0, 999, 7)], dtype=object))
    'AB\\-\\d{3}x'
    """
    if all(_UUID_TEXT.fullmatch(text) for text in texts):
        return UUID if texts[0] == texts[0].lower() else UUID.upper()
    groups: dict[int, list[str]] = defaultdict(list)
    for text in texts:
        groups[len(text)].append(text)
    if len(groups) > _MAX_LENGTHS or 0 in groups:
        return None
    parts = [_learn_one(groups[length]) for length in sorted(groups)]
    if any(part is None for part in parts):
        return None
    return "|".join(dict.fromkeys(part for part in parts if part is not None))


def _learn_one(texts: list[str]) -> str | None:
    places = [set(characters) for characters in zip(*texts, strict=True)]
    classes = _CLASSES
    if not _is_hexadecimal(places):
        classes = tuple(pair for pair in _CLASSES if pair[1] not in _HEX_CLASSES)
    tokens = []
    for characters in places:
        token = _token_of(characters, classes, literal=len(texts) >= _LITERAL_FROM)
        if token is None:
            return None
        tokens.append(token)
    return _shorten(tokens)


def _is_hexadecimal(places: list[set[str]]) -> bool:
    """Whether digits and the letters to f, and no others, share places."""
    letters_and_digits = [place for place in places if all(c.isalnum() for c in place)]
    if not all(place <= set(string.hexdigits) for place in letters_and_digits):
        return False
    return any(place & set(_DIGITS) and place - set(_DIGITS) for place in letters_and_digits)


def _token_of(
    characters: set[str], classes: tuple[tuple[str, str], ...], *, literal: bool
) -> str | None:
    if len(characters) == 1:
        (character,) = characters
        if literal or not character.isalnum():
            return None if character.isspace() else re.escape(character)
    return next((token for members, token in classes if characters <= set(members)), None)


def _shorten(tokens: list[str]) -> str:
    result: list[str] = []
    run = 0
    for i, token in enumerate(tokens):
        run += 1
        if i + 1 == len(tokens) or tokens[i + 1] != token:
            is_class = token.startswith("[") or token == _DIGIT
            result.append(f"{token}{{{run}}}" if is_class and run > 1 else token * run)
            run = 0
    return "".join(result)


def parse_pattern(pattern: str) -> list[list[str]]:
    r"""Read a pattern into alternatives, each a list of the characters allowed at every position.

    Raises
    ------
    InvalidParameterError
        If it uses anything but literals, ``\d``, ``\w``, classes, ``{n}`` and ``|``.

    Examples
    --------
    >>> parse_pattern(r"a[x-z]{2}|\d")
    [['a', 'xyz', 'xyz'], ['0123456789']]
    """
    alternatives: list[list[str]] = [[]]
    position = 0
    while position < len(pattern):
        if pattern[position] == "|":
            alternatives.append([])
            position += 1
            continue
        match = _TOKEN.match(pattern, position)
        if match is None:
            raise InvalidParameterError(
                f"The pattern {pattern!r} is not understood from {pattern[position:]!r} on; use "
                r"literals, \d, [A-Z], {n} and | only."
            )
        alternatives[-1] += [_members(match[1])] * int(match[2] or 1)
        position = match.end()
    if not all(alternatives):
        raise InvalidParameterError(f"The pattern {pattern!r} has an empty alternative.")
    return alternatives


def _members(token: str) -> str:
    if token == _DIGIT:
        return _DIGITS
    if token == _WORD:
        return _DIGITS + _UPPER + _LOWER + "_"
    if token.startswith("\\"):
        return token[1]
    if not token.startswith("["):
        return token
    expression = re.compile(token)
    members = "".join(chr(code) for code in range(32, 127) if expression.fullmatch(chr(code)))
    if not members:
        raise InvalidParameterError(f"The class {token!r} of a pattern allows no character.")
    return members


def capacity(positions: list[str]) -> int:
    """Return how many texts an alternative allows."""
    return prod(len(members) for members in positions)
