"""A search for planted values and exact statistics in an object and in a directory."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

#: Objects of these modules are walked through; others are code.
_OURS = ("synthgen", "torch", "numpy", "pandas", "tests", "types")


def numbers(thing: Any) -> Iterator[float]:
    """Yield every number that an object holds, however deep."""
    seen: set[int] = set()
    waiting: list[Any] = [thing]
    while waiting:
        part = waiting.pop()
        if isinstance(part, (bool, np.bool_, str, bytes)) or part is None:
            continue
        if isinstance(part, (int, float, np.number)):
            yield float(part)
            continue
        if id(part) in seen:
            continue
        seen.add(id(part))
        if isinstance(part, torch.Tensor):
            part = part.detach().float().cpu().numpy()
        if isinstance(part, (pd.DataFrame, pd.Series, pd.Index)):
            part = part.to_numpy()
        if isinstance(part, np.ndarray):
            if part.dtype.kind in "biuf":
                yield from part.astype(np.float64).ravel().tolist()
            elif part.dtype == object:
                waiting.extend(part.ravel().tolist())
        elif isinstance(part, Mapping):
            waiting.extend([*part.keys(), *part.values()])
        elif isinstance(part, (list, tuple, set, frozenset)):
            waiting.extend(part)
        elif type(part).__module__.partition(".")[0] in _OURS and not isinstance(part, type):
            waiting.extend(getattr(part, "__dict__", {}).values())
            slots = getattr(type(part), "__slots__", ())
            waiting.extend(getattr(part, name, None) for name in slots if isinstance(name, str))


def texts_of(directory: Path) -> bytes:
    """Return all files of a directory, one after the other."""
    return b"\0".join(path.read_bytes() for path in sorted(directory.rglob("*")) if path.is_file())


def patterns(value: float) -> list[bytes]:
    """Return how a number may be written: in binary and in decimals."""
    binary = [struct.pack(form, value) for form in ("<d", ">d", "<f", ">f")]
    decimal = [repr(value).encode(), f"{value:.12g}".encode(), f"{value:.8g}".encode()]
    return [*binary, *decimal]


def traces(
    model: Any, directory: Path, *, texts: dict[str, str], statistics: dict[str, float]
) -> list[str]:
    """Return the names of secrets that a model or its files hold.

    Parameters
    ----------
    model : object
        Searched as an object graph, and byte by byte as it would be pickled.
    directory : Path
        Searched byte by byte.
    texts : dict of str to str
        Cells of the private table.
    statistics : dict of str to float
        Exact statistics with many digits, so that none is hit by chance.
    """
    found = []
    places = {"pickle": pickle.dumps(model), "files": texts_of(directory)}
    for name, text in texts.items():
        forms = [text.encode(code) for code in ("utf-8", "utf-16-le", "utf-32-le")]
        found += [
            f"{name} in {place}" for place, raw in places.items() if any(f in raw for f in forms)
        ]
    held = np.array(sorted(numbers(model)))
    for name, value in statistics.items():
        if np.isclose(held, value, rtol=1e-7, atol=0).any():
            found.append(f"{name} in memory")
        found += [
            f"{name} in {place}"
            for place, raw in places.items()
            if any(form in raw for form in patterns(value))
        ]
    return found
