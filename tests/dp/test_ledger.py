"""Tests of the ledger: charged first, refused when full, kept as plain facts."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from synthgen.dp.errors import BudgetExceededError, PrivacyError
from synthgen.dp.events import Event
from synthgen.dp.gaussian import gaussian_mu
from synthgen.dp.ledger import Ledger
from synthgen.dp.mechanisms import gaussian_counts
from synthgen.dp.noise import SystemNoise, TestNoise
from synthgen.dp.shared import SharedLedger
from synthgen.errors import ArtifactError, InvalidParameterError

COUNTS = [np.array([5, 0, 7])]


class Counting(SystemNoise):
    """Counts the words that were drawn."""

    drawn = 0

    def words(self, n: int) -> np.ndarray:
        self.drawn += n
        return super().words(n)


def ledger(epsilon: float = 1.0, **facts: Any) -> Ledger:
    defaults: dict[str, Any] = {"n_rows": 1_000, "noise": SystemNoise()}
    return Ledger(epsilon, 1e-6, **defaults | facts)


def event(mu: float, note: str = "counts") -> Event:
    return Event("gaussian", note, sensitivity=mu, scale=1.0)


def test_nothing_is_drawn_that_was_not_charged() -> None:
    noise = Counting()
    book = ledger(noise=noise)
    with pytest.raises(BudgetExceededError, match="Nothing was released"):
        gaussian_counts(COUNTS, tables=1, sigma=1.0, ledger=book, note="too exact")
    assert noise.drawn == 0
    assert book.events == []
    gaussian_counts(COUNTS, tables=1, sigma=10.0, ledger=book, note="fine")
    assert noise.drawn == 3
    assert [e.note for e in book.events] == ["fine"]


def test_exactly_the_whole_budget_can_be_spent_in_parts() -> None:
    mu = gaussian_mu(1.0, 1e-6)
    book = ledger()
    for share in (0.2, 0.5, 0.3):
        book.charge(event(mu * share**0.5))
    assert book.spent().epsilon == pytest.approx(1.0, rel=1e-9)
    with pytest.raises(BudgetExceededError):
        book.charge(event(0.01 * mu))


def test_sensitivity_by_adjacency() -> None:
    assert ledger().sensitivity(9) == 3.0
    assert ledger(adjacency="add_remove", n_rows=None).sensitivity(9) == 3.0
    assert ledger(adjacency="replace_one").sensitivity(8) == 4.0


def test_number_of_rows_is_public_or_not_there() -> None:
    with pytest.raises(InvalidParameterError, match="n_rows"):
        ledger(adjacency="add_remove")
    with pytest.raises(InvalidParameterError, match="n_rows"):
        ledger(n_rows=None)
    assert any("public" in sentence for sentence in ledger().assumptions)


def test_samples_do_not_go_with_replacement() -> None:
    sampled = Event("gaussian", "steps", scale=1.0, sampling=0.1)
    with pytest.raises(PrivacyError, match="zero_out"):
        ledger(100.0, adjacency="replace_one").charge(sampled)


def test_seeded_noise_is_not_private() -> None:
    assert ledger().is_private
    book = ledger(noise=TestNoise(0))
    assert not book.is_private
    book.close()
    assert not book.is_private
    assert not Ledger.from_json(book.to_json()).is_private


def test_round_trip_through_json() -> None:
    book = ledger(3.0)
    book.charge(event(0.2))
    book.charge(Event("pure", "choice", scale=10.0))
    book.charge(Event("failure", "threshold", delta=1e-8))
    book.assume("Categories are public.")
    text = json.dumps(book.to_json(), allow_nan=False)
    again = Ledger.from_json(json.loads(text))
    assert again.events == book.events
    assert again.assumptions == book.assumptions
    assert again.spent() == book.spent()
    assert again.to_json() == book.to_json()
    with pytest.raises(PrivacyError, match="releases nothing more"):
        again.charge(event(0.1))


@pytest.mark.parametrize(
    "change",
    [
        {"format": 99},
        {"events": [{"mechanism": "magic", "note": "", "count": 1}]},
        {"events": [{"mechanism": "gaussian", "note": "", "count": 1, "scale": "much"}]},
        {"events": "none"},
        {"adjacency": "cousins"},
        {"epsilon": -1.0},
        {"surprise": 1},
    ],
)
def test_damaged_ledgers_are_refused(change: dict[str, object]) -> None:
    with pytest.raises(ArtifactError):
        Ledger.from_json(ledger().to_json() | change)


def test_trade_off_follows_the_events() -> None:
    book = ledger()
    book.charge(event(0.2))
    assert book.delta_at(1.0) < 1e-6
    assert book.trade_off([0.05])[0] == pytest.approx(0.926, abs=1e-3)


@pytest.fixture
def shared(tmp_path: Path) -> SharedLedger:
    return SharedLedger.create(tmp_path / "adult.json", epsilon=1.0, delta=1e-6, data="adult")


def test_shared_budget_is_never_exceeded(shared: SharedLedger) -> None:
    mu = gaussian_mu(1.0, 1e-6)
    first = shared.reserve([event(mu * 0.6)], adjacency="zero_out", label="first")
    assert 0 < first.epsilon < 1
    before = shared.path.read_bytes()
    with pytest.raises(BudgetExceededError, match="limit is 1"):
        shared.reserve([event(mu * 0.9)], adjacency="zero_out", label="second")
    assert shared.path.read_bytes() == before
    last = SharedLedger(shared.path).reserve([event(mu * 0.8)], adjacency="zero_out")
    assert last.epsilon == pytest.approx(1.0, rel=1e-6)
    assert shared.spent() == last
    assert [fit["label"] for fit in shared.read()["fits"]] == ["first", ""]


def test_fits_at_the_same_time_share_one_budget(shared: SharedLedger) -> None:
    mu = gaussian_mu(1.0, 1e-6)
    outcomes: list[bool] = []

    def fit() -> None:
        try:
            SharedLedger(shared.path).reserve([event(mu * 0.499)], adjacency="zero_out")
            outcomes.append(True)
        except BudgetExceededError:
            outcomes.append(False)

    threads = [threading.Thread(target=fit) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [False] * 8 + [True] * 4
    assert shared.spent().epsilon <= 1.0


def test_shared_ledgers_are_not_mixed_up(shared: SharedLedger, tmp_path: Path) -> None:
    with pytest.raises(PrivacyError, match="use that one"):
        SharedLedger.create(shared.path, epsilon=9.0, delta=1e-6)
    with pytest.raises(PrivacyError, match="kept for adjacency 'zero_out'"):
        shared.reserve([event(0.01)], adjacency="add_remove")
    with pytest.raises(PrivacyError, match="reserves nothing"):
        shared.reserve([], adjacency="zero_out")
    with pytest.raises(ArtifactError, match=r"SharedLedger\.create"):
        SharedLedger(tmp_path / "other.json").spent()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1, "adjacency": "zero_out"}'])
def test_damaged_shared_ledgers_grant_nothing(shared: SharedLedger, text: str) -> None:
    shared.path.write_text(text)
    with pytest.raises(ArtifactError):
        shared.reserve([event(0.01)], adjacency="zero_out")


def test_a_shared_ledger_stays_readable(tmp_path: Path) -> None:
    ledger = SharedLedger.create(tmp_path / "l.json", epsilon=np.float32(5.0), delta=1e-6)
    event = Event("gaussian", "x", scale=5.0)
    for label in (None, 5):
        with pytest.raises(InvalidParameterError, match="label must be text"):
            ledger.reserve([event], adjacency="zero_out", label=label)  # type: ignore[arg-type]
    with pytest.raises(PrivacyError, match="list of Event"):
        ledger.reserve(["a"], adjacency="zero_out")  # type: ignore[list-item]
    ledger.reserve([event], adjacency="zero_out")
    assert ledger.spent().epsilon > 0


@pytest.mark.parametrize(
    "changes",
    [
        {"epsilon": float("nan")},
        {"epsilon": float("inf")},
        {"epsilon": -1},
        {"epsilon": True},
        {"delta": 2},
        {"format": 0},
        {"adjacency": "other"},
    ],
)
def test_a_shared_ledger_with_other_limits_is_damaged(
    changes: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "l.json"
    SharedLedger.create(path, epsilon=1.0, delta=1e-6)
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(ArtifactError, match=r"l\.json"):
        SharedLedger(path).read()


def test_reading_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot be read"):
        SharedLedger(tmp_path / "nope" / "l.json").read()
    assert not (tmp_path / "nope").exists()
    with pytest.raises(InvalidParameterError, match="path"):
        SharedLedger(None)  # type: ignore[arg-type]
    with pytest.raises(PrivacyError, match="is a folder"):
        SharedLedger.create(tmp_path, epsilon=1.0, delta=1e-6)


def test_a_link_is_the_ledger_that_it_leads_to(tmp_path: Path) -> None:
    path, link = tmp_path / "ledger.json", tmp_path / "link.json"
    SharedLedger.create(path, epsilon=1, delta=1e-6)
    link.symlink_to(path)
    event = Event("gaussian", "x", scale=5.0)
    SharedLedger(link).reserve([event], adjacency="zero_out")
    assert link.is_symlink()
    with pytest.raises(PrivacyError):
        SharedLedger(path).reserve([event], adjacency="zero_out")


def test_a_second_name_of_the_file_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    path, second = tmp_path / "ledger.json", tmp_path / "second.json"
    ledger = SharedLedger.create(path, epsilon=1, delta=1e-6)
    os.link(path, second)
    before = path.read_bytes()
    event = Event("gaussian", "x", scale=5.0)
    with pytest.raises(PrivacyError, match="hard links"):
        ledger.reserve([event], adjacency="zero_out")
    assert path.read_bytes() == second.read_bytes() == before
    second.unlink()
    assert ledger.reserve([event], adjacency="zero_out").epsilon > 0
