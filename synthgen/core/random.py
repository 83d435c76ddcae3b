"""Random numbers without global state.

Everything random is derived from one root seed through :class:`numpy.random.SeedSequence`, keyed by
what it is for (a *stream*) and which part of it (an index). A block of rows therefore has the same
content whichever process makes it, and in whatever order.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from synthgen.errors import InvalidParameterError

if TYPE_CHECKING:
    import torch

#: Purposes that random numbers are drawn for; the integers are part of saved artefacts' meaning.
STREAMS: Final = {
    "split": 1,
    "encode": 2,
    "weights": 3,
    "train": 4,
    "monitor": 5,
    "refine": 6,
    "sample": 7,
    "surrogate": 8,
    "conditions": 9,
    "score": 10,
    "augment": 11,
    "anomaly": 12,
    "plant": 13,
    "audit": 14,
    "attack": 15,
}


def root_seed(random_state: Any) -> int:
    """Turn a scikit-learn style `random_state` into one non-negative integer.

    Parameters
    ----------
    random_state : None, int, numpy.random.RandomState or numpy.random.Generator
        None draws fresh entropy from the operating system. A generator is advanced by one draw.

    Returns
    -------
    int
        A seed in [0, 2**64).

    Raises
    ------
    InvalidParameterError
        For anything else, or a negative integer.

    Examples
    --------
    >>> root_seed(7)
    7
    """
    if random_state is None:
        return secrets.randbits(63)
    if isinstance(random_state, Integral) and not isinstance(random_state, bool):
        if random_state < 0:
            raise InvalidParameterError(f"random_state must be >= 0, got {random_state!r}.")
        return int(random_state)
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(0, 2**31 - 1))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(0, 2**63 - 1))
    raise InvalidParameterError(
        "random_state must be None, a non-negative integer, or a numpy RandomState or Generator, "
        f"got {random_state!r}."
    )


def generator(seed: int, stream: str, *index: int) -> np.random.Generator:
    """Return the numpy generator of one part of one stream.

    Parameters
    ----------
    seed : int
        Root seed, see :func:`root_seed`.
    stream : str
        A key of ``STREAMS``.
    *index : int
        Which part of the stream, for instance the number of a block of rows.

    Examples
    --------
    >>> bool(generator(0, "sample", 3).integers(100) == generator(0, "sample", 3).integers(100))
    True
    """
    key = (STREAMS[stream], *index)
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))


def torch_generator(
    seed: int, stream: str, *index: int, device: torch.device | str = "cpu"
) -> torch.Generator:
    """Return the torch generator of one part of one stream, on `device`."""
    import torch

    key = (STREAMS[stream], *index)
    (state,) = np.random.SeedSequence(seed, spawn_key=key).generate_state(1, np.uint64)
    return torch.Generator(device=device).manual_seed(int(state >> np.uint64(1)))


@contextmanager
def isolated_torch_rng(seed: int, stream: str, *index: int) -> Iterator[None]:
    """Seed torch's global generator inside the block and restore it afterwards.

    Only module initialisation needs this: it offers no other way to pass a generator.
    """
    import torch

    key = (STREAMS[stream], *index)
    (state,) = np.random.SeedSequence(seed, spawn_key=key).generate_state(1, np.uint64)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(state >> np.uint64(1)))
        yield
