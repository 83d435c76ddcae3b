"""Rows from several states of one training, which the ablation tries."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch

from benchmarks.quality.trial_snapshots import SnapshotSource, snapshots
from synthgen import GANSynthesizer
from synthgen.sample.draw import RowSource


def table(n: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    return pd.DataFrame({"size": rng.normal(size=n), "kind": rng.choice(["a", "b"], n)})


def model(**options: int) -> GANSynthesizer:
    return GANSynthesizer(max_steps=20, refine=False, random_state=0, **options)


def test_rows_come_from_the_last_checks_and_the_best_one():
    with snapshots(3):
        fitted = model().fit(table(600))
    source = fitted.sampler_.source
    assert isinstance(source, SnapshotSource)
    assert len(source.others) == 3
    weights = [network.heads.weight for network in source.others]
    assert not torch.equal(weights[0], weights[1])
    assert len(fitted.sample(50)) == 50
    assert type(model().fit(table(600)).sampler_.source) is RowSource


def test_every_part_has_its_share_of_the_rows(monkeypatch):
    network = model().fit(table(600)).sampler_.source.generator
    drawn: list[int] = []
    draw = RowSource.draw

    def counting(source: RowSource, n: int, rng: torch.Generator):
        drawn.append(n)
        return draw(source, n, rng)

    monkeypatch.setattr(RowSource, "draw", counting)
    mixed = SnapshotSource(network, None, (network, network))
    assert len(mixed.draw(10, torch.Generator().manual_seed(0))) == 10
    assert len(mixed.draw(1, torch.Generator().manual_seed(0))) == 1
    assert drawn == [3, 3, 4, 1]
