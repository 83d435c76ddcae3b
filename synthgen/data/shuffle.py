"""Pseudo-random numbers and permutations that are functions of a row number: no state to share."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import numpy as np
import pandas as pd

_ROUNDS = 4


def key_of(*parts: Any) -> int:
    """Return a 63-bit key that depends on the parts only."""
    text = "\x1f".join(repr(part) for part in parts)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little") >> 1


def mix(values: np.ndarray, key: int) -> np.ndarray:
    """Scramble integers into uint64 (the finaliser of SplitMix64, Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        z = values.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key & (2**64 - 1))
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray(z ^ (z >> np.uint64(31)))


def draw(rows: np.ndarray, size: int, key: int) -> np.ndarray:
    """Return for every row number a pseudo-random integer in [0, size)."""
    return np.asarray((mix(rows, key) % np.uint64(size)).astype(np.int64))


def permute(index: np.ndarray, size: int, key: int) -> np.ndarray:
    """Permute [0, size): distinct indices give distinct results.

    A Feistel network (Luby and Rackoff 1988) over the next even power of two, walked until the
    result is in range (Black and Rogaway 2002).

    Parameters
    ----------
    index : numpy.ndarray of int64
        Values in [0, size).
    size : int
        At most 2**62.
    key : int

    Examples
    --------
    >>> sorted(permute(np.arange(5), 5, key=3).tolist())
    [0, 1, 2, 3, 4]
    """
    return _walk(index, size, key, range(_ROUNDS))


def unpermute(values: np.ndarray, size: int, key: int) -> np.ndarray:
    """Reverse :func:`permute`."""
    return _walk(values, size, key, range(_ROUNDS - 1, -1, -1))


def _walk(values: np.ndarray, size: int, key: int, rounds: range) -> np.ndarray:
    half = np.uint64(max(1, ((size - 1).bit_length() + 1) // 2))
    result = values.astype(np.uint64)
    active = np.arange(len(result))
    while len(active):
        result[active] = _feistel(result[active], half, key, rounds)
        active = active[result[active] >= np.uint64(size)]
    return result.astype(np.int64)


def _feistel(values: np.ndarray, half: np.uint64, key: int, rounds: range) -> np.ndarray:
    mask = (np.uint64(1) << half) - np.uint64(1)
    left, right = values >> half, values & mask
    forward = rounds.step > 0
    for k in rounds:
        if forward:
            left, right = right, left ^ (mix(right, key + k) & mask)
        else:
            left, right = right ^ (mix(left, key + k) & mask), left
    return np.asarray((left << half) | right)


def skip(rows: np.ndarray, taken: np.ndarray) -> np.ndarray:
    """Return the rows-th numbers that are not in `taken` (sorted, distinct).

    Examples
    --------
    >>> skip(np.arange(4), np.array([1, 2])).tolist()
    [0, 3, 4, 5]
    """
    if not len(taken):
        return rows
    return np.asarray(rows + np.searchsorted(taken - np.arange(len(taken)), rows, side="right"))


def hash_texts(texts: np.ndarray) -> np.ndarray:
    """Return 64-bit hashes (uint64) of strings."""
    return np.asarray(pd.util.hash_array(np.asarray(texts, dtype=object), categorize=False))


def pack(values: np.ndarray) -> str:
    """Write 64-bit integers as base64 text."""
    return base64.b64encode(values.astype(values.dtype.newbyteorder("<")).tobytes()).decode("ascii")


def unpack(text: str, dtype: str) -> np.ndarray:
    """Read integers written by :func:`pack`; `dtype` is ``"<i8"`` or ``"<u8"``."""
    return np.frombuffer(base64.b64decode(text), dtype=dtype).astype(np.dtype(dtype[1:]))
