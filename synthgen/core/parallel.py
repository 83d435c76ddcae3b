"""Work on several blocks at once, results in order, memory bounded."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

#: More threads gain nothing: each one's tensor operations are parallel themselves.
_MOST_WORKERS: Final = 4


def map_ahead(
    function: Callable[[Item], Result], items: Iterable[Item], workers: int | None = None
) -> Iterator[Result]:
    """Yield ``function(item)`` for each item in order, working a few items ahead.

    The function must release the interpreter lock for most of its time to gain from it.

    Parameters
    ----------
    function : callable
    items : iterable
        May be endless; items are taken as they are needed.
    workers : int, optional
        Threads; by default one per processor, at most four.

    Examples
    --------
    >>> list(map_ahead(abs, [-1, 2, -3], workers=2))
    [1, 2, 3]
    """
    workers = min(os.cpu_count() or 1, _MOST_WORKERS) if workers is None else workers
    if workers <= 1:
        yield from map(function, items)
        return
    source = iter(items)
    waiting: deque[Future[Result]] = deque()
    with ThreadPoolExecutor(workers) as pool:
        try:
            for item in source:
                waiting.append(pool.submit(function, item))
                if len(waiting) > workers:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()
