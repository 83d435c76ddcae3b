"""Free text made up anew: common words of the column, shuffled, never one of the real texts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from synthgen.data.column import Column
from synthgen.data.naming import word_list
from synthgen.data.shuffle import hash_texts, pack, unpack
from synthgen.data.values import cast_values

_COMMON: Final = 5
_MOST_WORDS: Final = 5_000
_LONGEST: Final = 500
_TRIES: Final = 5
_FALLBACK: Final = word_list(
    "lorem ipsum dolor sit amet consectetur adipiscing elit sed do eiusmod tempor incididunt ut "
    "labore et dolore magna aliqua enim ad minim veniam quis nostrud exercitation ullamco laboris "
    "nisi aliquip ex ea commodo consequat duis aute irure in reprehenderit voluptate velit esse"
)


@dataclass(frozen=True, eq=False)
class ShuffledText:
    """Words that occur in many real texts, drawn by frequency.

    Parameters
    ----------
    words : tuple of str
        Words that occur in at least five texts, or neutral ones.
    counts : tuple of int
        In how many texts each occurs.
    lengths : tuple of int
        ``lengths[k]`` real texts have k words.
    real : numpy.ndarray of uint64
        Sorted hashes of the real texts.
    dtype : str
    """

    words: tuple[str, ...]
    counts: tuple[int, ...]
    lengths: tuple[int, ...]
    real: np.ndarray
    dtype: str

    def generate(self, rows: np.ndarray, rng: np.random.Generator) -> pd.Series:
        """Make texts; see :class:`synthgen.data.surrogate.Surrogate`."""
        shares = np.array(self.lengths) / sum(self.lengths)
        sizes = rng.choice(len(shares), size=len(rows), p=shares)
        texts = self._texts(sizes, rng)
        clash = np.flatnonzero(np.isin(hash_texts(texts), self.real))
        tries = 0
        while len(clash):
            # After a few tries with as many words, longer texts are sure to be new sooner or later.
            tries += 1
            texts[clash] = self._texts(sizes[clash] + max(0, tries - _TRIES), rng)
            clash = clash[np.isin(hash_texts(texts[clash]), self.real)]
        return cast_values(texts, self.dtype)

    def _texts(self, sizes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        weights = np.array(self.counts) / sum(self.counts)
        words = np.array(self.words, dtype=object)
        drawn = words[rng.choice(len(words), size=int(sizes.sum()), p=weights)].tolist()
        ends = np.cumsum(sizes)
        texts = np.empty(len(sizes), dtype=object)
        pairs = zip((ends - sizes).tolist(), ends.tolist(), strict=True)
        texts[:] = [" ".join(drawn[start:end]) for start, end in pairs]
        return texts

    def to_json(self) -> dict[str, Any]:
        """Return a JSON document."""
        return {
            "type": "shuffled_text",
            "words": list(self.words),
            "counts": list(self.counts),
            "lengths": list(self.lengths),
            "real": pack(self.real),
            "dtype": self.dtype,
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> ShuffledText:
        """Read a document written by :meth:`to_json`."""
        return cls(
            words=tuple(document["words"]),
            counts=tuple(document["counts"]),
            lengths=tuple(document["lengths"]),
            real=unpack(document["real"], "<u8"),
            dtype=document["dtype"],
        )


def fit_text(present: pd.Series, column: Column) -> ShuffledText:
    """Learn the common words and the usual lengths of texts.

    Parameters
    ----------
    present : pandas.Series
        Real texts, none missing.
    column : Column
    """
    texts = np.array([str(value) for value in present], dtype=object)
    occurs: Counter[str] = Counter()
    lengths: Counter[int] = Counter()
    for text in texts:
        words = text.split()
        # A set would do, but for its order, which differs from one process to the next.
        occurs.update(list(dict.fromkeys(words)))
        lengths[min(max(1, len(words)), _LONGEST)] += 1
    common = [(word, n) for word, n in occurs.most_common(_MOST_WORDS) if n >= _COMMON]
    if not common:
        common = [(word, 1) for word in _FALLBACK]
    return ShuffledText(
        words=tuple(word for word, _ in common),
        counts=tuple(count for _, count in common),
        lengths=tuple(lengths.get(k, 0) for k in range(max(lengths) + 1)),
        real=np.unique(hash_texts(texts)),
        dtype=column.dtype,
    )
