"""Smoke tests for memorised rows: exact copies, nearest-neighbour membership, nearest share.

They catch a generator that repeats its training rows. They are no proof of privacy: passing them
says little, failing them says much.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from synthgen.core.params import check_integer
from synthgen.core.random import generator, root_seed
from synthgen.evaluate.result import Result
from synthgen.measure.columns import Roles, align, column_roles, cut
from synthgen.measure.distances import nearest, points, row_keys
from synthgen.measure.stats import auc, auc_interval, share_interval

if TYPE_CHECKING:
    from synthgen.data.schema import Schema

_MAX_ROWS: Final = 4_000
_MAX_REFERENCE: Final = 50_000


def copy_share(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    schema: Schema | None = None,
    random_state: Any = 0,
) -> Result:
    """Return the share of synthetic rows that equal a training row in every used column.

    Parameters
    ----------
    real, synthetic : table
        Training rows and synthetic rows, with the same columns.
    holdout : table, optional
        Real rows that were not trained on; their share of rows that equal a training row becomes
        the ceiling: in a table of few columns, copies are no sign of memorisation.
    schema : Schema, optional
        Kinds of the columns; without it the dtypes decide.
    random_state : int, Generator or None, default=0
        Not used: every row is looked at.

    Returns
    -------
    Result
        Value in [0, 1], lower is better but a value near the ceiling is fine.

    Examples
    --------
    >>> import pandas as pd
    >>> train = pd.DataFrame({"x": [1, 2, 3], "c": ["a", "b", "c"]})
    >>> fake = pd.DataFrame({"x": [1, 2, 3, 4], "c": ["a", "c", "c", "a"]})
    >>> copy_share(train, fake).value
    0.5
    """
    del random_state
    frames = align(real, synthetic) if holdout is None else align(real, synthetic, holdout)
    roles = column_roles(frames[0], schema)
    keys = row_keys(frames, roles)
    shares = [float(np.isin(own, keys[0]).mean()) for own in keys[1:]]
    n_rows = len(keys[1])
    return Result(
        "copy_share",
        shares[0],
        "lower",
        interval=share_interval(shares[0], n_rows),
        ceiling=shares[1] if holdout is not None else None,
        reference="share of equal rows",
        details={
            "copies": round(shares[0] * n_rows),
            "synthetic_rows": n_rows,
            "holdout_share": shares[1] if holdout is not None else None,
            "left_out": _left_out(roles),
        },
    )


def repeats(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any = None,
    schema: Schema | None = None,
    random_state: Any = 0,
) -> Result:
    """Return the share of synthetic rows that equal an earlier synthetic row in every used column.

    The more rows, the more of them are equal by chance, so that both tables are cut to the same
    number of rows. A table that was stacked on itself and is many times as long as the real one
    shows in ``details["share_of_all"]``, which has no ceiling.

    Parameters
    ----------
    real, synthetic : table
        Tables with the same columns.
    holdout : table, optional
        Not used.
    schema : Schema, optional
        Kinds of the columns; without it the dtypes decide.
    random_state : int, Generator or None, default=0
        Seed of the choice of rows for the ceiling.

    Returns
    -------
    Result
        Value in [0, 1], lower is better but a value near the ceiling is fine: the share of equal
        rows among as many real rows. The interval takes rows for independent trials.

    Examples
    --------
    >>> import pandas as pd
    >>> real = pd.DataFrame({"x": [1, 2, 3], "c": ["a", "b", "c"]})
    >>> repeats(real, real.iloc[[0, 0]]).value
    0.5
    """
    del holdout
    first, made = align(real, synthetic)
    roles = column_roles(first, schema)
    rng = generator(root_seed(random_state), "score", 5)
    size = min(len(first), len(made))
    keys = row_keys([cut(first, size, rng), cut(made, size, rng), made], roles)
    ceiling, share, whole = (float(1 - len(np.unique(own)) / len(own)) for own in keys)
    return Result(
        "repeats",
        share,
        "lower",
        interval=share_interval(share, size),
        ceiling=ceiling,
        reference="share of rows that repeat an earlier row",
        details={"rows": size, "share_of_all": whole, "left_out": _left_out(roles)},
    )


def membership(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any,
    schema: Schema | None = None,
    max_rows: int = _MAX_ROWS,
    max_reference: int = _MAX_REFERENCE,
    random_state: Any = 0,
) -> Result:
    """Guess which real rows were trained on by their distance to the nearest synthetic row.

    Parameters
    ----------
    real, synthetic, holdout : table
        Training rows, synthetic rows, and real rows that were not trained on.
    schema : Schema, optional
        Kinds of the columns; without it the dtypes decide.
    max_rows : int, default=4000
        At most this many random training rows, and as many holdout rows, are attacked.
    max_reference : int, default=50000
        At most this many random synthetic rows are searched.
    random_state : int, Generator or None, default=0
        Seed of the choice of rows.

    Returns
    -------
    Result
        AUC of the attack, lower is better: .5 is no better than guessing, 1 is a full leak. The
        distance is L1 on numbers scaled by their range in `real` and on one-hot categories.

    References
    ----------
    Chen, Yu, Zhang & Fritz (2020), GAN-Leaks, arXiv:1909.03935: the attack by nearest samples.
    """
    n_rows = check_integer("max_rows", max_rows, minimum=1)
    members, made, others = align(real, synthetic, holdout)
    roles = column_roles(members, schema)
    rng = generator(root_seed(random_state), "score", 1)
    n_rows = min(n_rows, len(members), len(others))
    made = cut(made, check_integer("max_reference", max_reference, minimum=1), rng)
    placed = points([members, cut(members, n_rows, rng), cut(others, n_rows, rng), made], roles)
    distances = [nearest(queries, placed[3]) for queries in placed[1:3]]
    labels = np.repeat([True, False], n_rows)
    area = auc(labels, -np.concatenate(distances))
    return Result(
        "membership_auc",
        area,
        "lower",
        interval=auc_interval(area, n_rows, n_rows),
        reference="Chen et al. (2020), GAN-Leaks, arXiv:1909.03935",
        details={
            "rows_per_class": n_rows,
            "synthetic_rows": len(made),
            "median_distance_train": float(np.median(distances[0])),
            "median_distance_holdout": float(np.median(distances[1])),
            "left_out": _left_out(roles),
        },
    )


def nearest_share(
    real: Any,
    synthetic: Any,
    *,
    holdout: Any,
    schema: Schema | None = None,
    max_rows: int = _MAX_ROWS,
    max_reference: int = _MAX_REFERENCE,
    random_state: Any = 0,
) -> Result:
    """Return the share of synthetic rows that lie nearer to a training row than to a holdout row.

    Parameters
    ----------
    real, synthetic, holdout : table
        Training rows, synthetic rows, and real rows that were not trained on. Training and holdout
        rows are cut to the same number, or the larger table would be nearer by chance.
    schema : Schema, optional
        Kinds of the columns; without it the dtypes decide.
    max_rows : int, default=4000
        At most this many random synthetic rows are looked at.
    max_reference : int, default=50000
        At most this many training rows, and as many holdout rows, are searched.
    random_state : int, Generator or None, default=0
        Seed of the choice of rows.

    Returns
    -------
    Result
        Value in [0, 1]; .5 is ideal, ties count half. Known as "DCR share" in the literature. The
        interval is that of no more trials than there are training rows, which all rows share. It
        is sharp only if the holdout is as large as the training table: with a tenth of the rows,
        a generator that copies every training row scores .55, which `membership` tells at once.
    """
    n_rows = check_integer("max_rows", max_rows, minimum=1)
    members, made, others = align(real, synthetic, holdout)
    roles = column_roles(members, schema)
    rng = generator(root_seed(random_state), "score", 2)
    limit = check_integer("max_reference", max_reference, minimum=1)
    size = min(len(members), len(others), limit)
    frames = [members, cut(members, size, rng), cut(others, size, rng), cut(made, n_rows, rng)]
    _, near, far, queries = points(frames, roles)
    to_train, to_holdout = nearest(queries, near), nearest(queries, far)
    share = float((to_train < to_holdout).mean() + 0.5 * (to_train == to_holdout).mean())
    return Result(
        "nearest_share",
        share,
        "lower",
        interval=share_interval(share, min(len(queries), size)),
        reference="distance to closest record, share nearer to train than to an equal holdout",
        details={
            "synthetic_rows": len(queries),
            "reference_rows": size,
            "left_out": _left_out(roles),
        },
    )


def _left_out(roles: Roles) -> dict[str, str]:
    return {str(name): reason for name, reason in roles.left_out.items()}
