"""When networks that grow are how large (Karras et al., arXiv:1710.10196)."""

from __future__ import annotations


def grown_by(share: float, until: float, doublings: int) -> float:
    """Return the doublings of the coarsest grid at a share of training, the last one maybe in part.

    Each size takes as long as the fade to the next; the full size is reached at `until`.

    Parameters
    ----------
    share : float
        Of training that is done.
    until : float
        Share by which the networks have grown.
    doublings : int
        Of grown networks.

    Examples
    --------
    >>> [round(grown_by(share, 0.8, 2), 9) for share in (0.0, 0.1, 0.3, 0.5, 0.7, 0.8, 1.0)]
    [0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.0]
    """
    if share >= until:
        return float(doublings)
    spans, part = divmod(2 * doublings * share / until, 2.0)
    return min(spans + max(part - 1.0, 0.0), float(doublings))
