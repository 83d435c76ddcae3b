"""Audits of single releases against what each charges to the ledger."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from synthgen.dp import embedding
from synthgen.dp.embedding import release_embedding
from synthgen.dp.ledger import Ledger
from synthgen.dp.mechanisms import exponential_choice, gaussian_counts, geometric_count
from synthgen.dp.noise import NoiseSource, TestNoise
from synthgen.dp.quantiles import private_bounds, private_gaps, private_quantile
from synthgen.dp.select import frequent_cells, keep_values, select_values
from synthgen.privacy.mechanism import audit_mechanism
from synthgen.privacy.mechanism_result import MechanismAudit

DELTA = 1e-3
Release = Callable[[Any, Ledger], Any]


def claimed(release: Release, world: Any) -> float:
    """Return the epsilon that the release charges at ``DELTA``."""
    ledger = open_ledger(TestNoise(0))
    release(world, ledger)
    return ledger.spent().epsilon


def open_ledger(noise: NoiseSource) -> Ledger:
    return Ledger(50.0, DELTA, n_rows=100, noise=noise)


def audit(release: Release, worlds: tuple[Any, Any], claim: float, n_runs: int) -> MechanismAudit:
    # Seeded, or a bound of 95 % would refute one true claim in twenty by chance.
    noise = TestNoise(0)

    def run(world: Any) -> Any:
        ledger = open_ledger(noise)
        # Accounting has been done once; it takes longer than the release.
        ledger.charge = ledger.events.append  # type: ignore[method-assign]
        return release(world, ledger)

    return audit_mechanism(run, *worlds, epsilon=claim, delta=DELTA, n_runs=n_runs, random_state=0)


def counts(world: np.ndarray, ledger: Ledger) -> Any:
    return gaussian_counts([world], tables=1, sigma=2.5, ledger=ledger, note="")[0]


def one_count(world: np.ndarray, ledger: Ledger) -> Any:
    return geometric_count(int(world.sum()), epsilon=1.0, ledger=ledger, note="")


def choice(world: np.ndarray, ledger: Ledger) -> Any:
    picked = exponential_choice(world, sensitivity=1.0, epsilon=1.0, ledger=ledger, note="")
    return str(picked)


def quantile(world: np.ndarray, ledger: Ledger) -> Any:
    return private_quantile(
        world, 0.5, bounds=(0.0, 1.0), epsilon=1.0, ledger=ledger, note=""
    )  # fmt: skip


def told_values(world: np.ndarray, ledger: Ledger) -> Any:
    names = [("x", "y")[k] for k in np.flatnonzero(world)]
    found = select_values(
        [(names, world[world > 0])], sigma=2.5, failure=DELTA / 2, ledger=ledger, note=""
    )[0]
    return dict(zip(found.values, found.counts.tolist(), strict=True))


def kept_values(world: np.ndarray, ledger: Ledger) -> Any:
    names = [("x", "y")[k] for k in np.flatnonzero(world)]
    kept = keep_values(
        names, world[world > 0], epsilon=1.0, failure=DELTA / 2, ledger=ledger, note=""
    )
    return dict.fromkeys(kept, 1.0)


def gaps(world: np.ndarray, ledger: Ledger) -> Any:
    return private_gaps([world], sigma=2.5, ledger=ledger, note="")


def ends(world: np.ndarray, ledger: Ledger) -> Any:
    found = private_bounds([world], sigma=2.5, ledger=ledger, note="")[0]
    return "none" if found is None else list(found)


def atoms(world: np.ndarray, ledger: Ledger) -> Any:
    (found,) = frequent_cells([world], sigma=2.5, ledger=ledger, note="")
    return {str(cell): 1.0 for cell in found.tolist()}


def features(world: np.ndarray, ledger: Ledger) -> Any:
    batch = (world, np.zeros(len(world), dtype=np.int64))
    found = release_embedding(
        [batch],
        n_classes=1,
        n_features=world.shape[1],
        count_share=0.02,
        sigma=2.5,
        ledger=ledger,
        note="",
    )
    return found.means.ravel()


CASES: dict[str, tuple[Release, tuple[Any, Any]]] = {
    "counts": (counts, (np.array([7, 0, 3]), np.array([7, 1, 3]))),
    "one count": (one_count, (np.array([4]), np.array([5]))),
    "choice": (choice, (np.array([1.0, 0.0]), np.array([0.0, 1.0]))),
    "quantile": (quantile, (np.array([0.5]), np.array([0.5, 0.0]))),
    "told values": (told_values, (np.array([30, 8]), np.array([30, 9]))),
    "kept values": (kept_values, (np.array([30, 6]), np.array([30, 7]))),
    "gaps": (gaps, (np.zeros(9, bool), np.arange(9) == 0)),
    "ends": (ends, (np.full(40, 1.0), np.append(np.full(40, 1.0), 1e6))),
    # A record that is ten times too long is cut.
    "mean features": (features, (np.eye(3), np.concatenate([np.eye(3), [[10.0, 0.0, 0.0]]]))),
    "single values": (atoms, (np.array([9, 0, 0]), np.array([10, 0, 0]))),
}


@pytest.mark.parametrize("name", CASES)
def test_no_release_tells_more_than_it_charges(name: str) -> None:
    release, worlds = CASES[name]
    claim = claimed(release, worlds[1])
    found = audit(release, worlds, claim, 1_500)
    assert not found.refuted, found.describe()
    assert found.detectable is not None


#: What of a release tells a row best, where that is known.
TELLING: dict[str, Callable[[Any], Any]] = {
    "counts": lambda noisy: float(noisy[1]),
    "mean features": lambda means: float(means[0]),
}
ONE_ROW, RUNS = ("counts", "one count", "mean features"), 30_000


@pytest.mark.parametrize("name", ONE_ROW)
def test_a_tenth_of_the_claim_is_refuted_by_one_row(name: str) -> None:
    release, worlds = CASES[name]
    telling = TELLING.get(name, lambda published: published)
    claim = claimed(release, worlds[1]) / 10
    found = audit(lambda world, ledger: telling(release(world, ledger)), worlds, claim, RUNS)
    assert found.refuted, found.describe()


SEVERAL_ROWS: dict[str, tuple[Any, Any]] = {
    "choice": (np.array([4.0, 0.0]), np.array([0.0, 4.0])),
    "quantile": (np.linspace(0.0, 0.3, 31), np.linspace(0.7, 1.0, 31)),
    "gaps": (np.zeros(9, bool), np.ones(9, bool)),
}


@pytest.mark.parametrize("name", SEVERAL_ROWS)
def test_a_tenth_of_the_claim_is_refuted_by_several_rows(name: str) -> None:
    release, _ = CASES[name]
    claim = claimed(release, SEVERAL_ROWS[name][1]) / 10
    assert audit(release, SEVERAL_ROWS[name], claim, 4_000).refuted


def test_a_value_of_one_row_is_hardly_ever_told() -> None:
    for release in (told_values, kept_values):
        found = audit(release, (np.array([30, 0]), np.array([30, 1])), 0.0, 1_500)
        assert found.lower < 0.2


def test_features_that_are_not_cut_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def add(sums: np.ndarray, vectors: np.ndarray, codes: np.ndarray, share: float) -> None:
        sums[0, :-1] += vectors.sum(axis=0)
        sums[0, -1] += np.sqrt(share) * len(codes)

    release, worlds = CASES["mean features"]
    claim = claimed(release, worlds[1])
    monkeypatch.setattr(embedding, "_add", add)
    assert audit(release, worlds, claim, 1_500).refuted
