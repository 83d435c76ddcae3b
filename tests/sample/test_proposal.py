"""Proposals of latent vectors, on generators whose posterior is known."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import Tensor

from synthgen.encode.layout import FAR, EncodedTable, Head, Layout, StateBlock
from synthgen.nn.cells import RowDistribution
from synthgen.nn.tabular import TabularGenerator
from synthgen.sample import proposal as module
from synthgen.sample.conditional import latent_pool, row_log_weights
from synthgen.sample.draw import RowSource
from synthgen.sample.flow import ConditionalFlow
from synthgen.sample.proposal import Evidence, n_features, propose, train_proposal

SPREAD = 0.2
SLOPES = torch.tensor([[1.0, 0.5, 0.0], [0.0, 0.5, 1.0]])


def linear_layout() -> Layout:
    """Three heads and two blocks; the first block is the gate of the last head."""
    no_features = np.empty((2, 0))
    blocks = tuple(StateBlock(k, np.array([0.5, 0.5]), no_features) for k in (2, 3))
    edges = np.array([-FAR, 0.0, FAR])
    heads = [
        Head(column, edges, np.zeros(2, bool), edges / FAR, gate)
        for column, gate in ((0, None), (1, None), (2, 0))
    ]
    return Layout(blocks, tuple(heads))


class LinearGenerator(TabularGenerator):
    """Scores z @ SLOPES plus noise; the states depend on the signs of z only."""

    def forward(self, z: Tensor) -> RowDistribution:
        logits = torch.stack([z[:, 0] * 0, z[:, 0] * 0 - 2, z[:, 1].sign(), -z[:, 1].sign()], 1)
        mean = z @ SLOPES.to(z.device)
        return RowDistribution(logits, mean, torch.full_like(mean, SPREAD))


@pytest.fixture(scope="module")
def source() -> RowSource:
    network = LinearGenerator(linear_layout(), latent=2, width=4, blocks=1).eval()
    return RowSource(network)


@pytest.fixture(scope="module")
def trained(source: RowSource) -> Iterator[ConditionalFlow]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_STEPS", 300)
        patch.setattr("synthgen.sample.flow._WIDTH", 32)
        patch.setattr("synthgen.sample.flow._HIDDEN", 16)
        yield train_proposal(source, linear_layout())


def rows(*values: tuple[float, float, float]) -> EncodedTable:
    codes = np.tile(np.array([[0, 0]], dtype=np.int32), (len(values), 1))
    return EncodedTable(codes, np.array(values, dtype=np.float32))


def evidence_of(source: RowSource, table: EncodedTable, known: list[bool]) -> Evidence:
    """Know the given heads, and the gate of the last one with it; it has the same odds always."""
    heads = np.tile(np.array(known), (len(table), 1))
    blocks = np.stack([heads[:, 2], np.zeros(len(table), bool)], axis=1)
    return Evidence.of(source.generator.cells, table, blocks, heads)


def log_normal_ratio(value: float, variance: float) -> float:
    """Return log N(value; 0, variance) / N(value; 0, 1)."""
    return 0.5 * (value**2 - value**2 / variance - math.log(variance))


def estimate(logs: Tensor) -> Tensor:
    return torch.logsumexp(logs, 1) - math.log(logs.shape[1])


def test_evidence_counts_what_is_known_and_applies(source: RowSource) -> None:
    table = EncodedTable(
        np.array([[0, 1], [1, -1]], dtype=np.int32),
        np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype=np.float32),
    )
    blocks = np.array([[True, True], [True, False]])
    known = np.array([[True, False, True], [True, True, True]])
    cells = source.generator.cells
    evidence = Evidence.of(cells, table, blocks, known)
    assert evidence.scores.tolist() == [[1.0, 0.0, 3.0], [4.0, 5.0, 0.0]]
    assert evidence.heads.tolist() == [[1, 0, 1], [1, 1, 0]]
    features = evidence.features(cells)
    assert features.shape == (2, 4 + 2 + 6)
    assert features[:, :6].tolist() == [[1, 0, 0, 1, 1, 1], [0, 1, 0, 0, 1, 0]]
    assert known.all(axis=1).tolist() == [False, True]  # the argument stays as it was


def test_likelihoods_are_those_of_a_pool(source: RowSource) -> None:
    rng = np.random.default_rng(0)
    n, k = 20, 7
    table = EncodedTable(
        rng.integers(0, 2, (n, 2)).astype(np.int32), rng.normal(size=(n, 3)).astype(np.float32)
    )
    blocks, heads = rng.random((n, 2)) < 0.5, rng.random((n, 3)) < 0.5
    blocks[0], heads[0], blocks[1], heads[1] = False, False, True, True
    pool = latent_pool(source, k, torch.Generator().manual_seed(0))
    expected = row_log_weights(source, pool, table, blocks, heads)
    evidence = Evidence.of(source.generator.cells, table, blocks, heads)
    row = source.generator(pool.latents.repeat(n, 1))
    found = evidence.log_likelihood(source.generator.cells, row)
    assert found.shape == (n, k)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-3)
    assert not found[0].any()


def test_estimates_agree_with_the_exact_probability(
    source: RowSource, trained: ConditionalFlow
) -> None:
    for value in (0.3, -1.5, 2.5):
        evidence = evidence_of(source, rows(*[(value, 0.0, 0.0)] * 400), [True, False, False])
        found = propose(trained, source, evidence, torch.Generator().manual_seed(0))
        weights = found.log_weights.exp().mean(1)
        exact = math.exp(log_normal_ratio(value, 1 + SPREAD**2))
        noise = float(weights.std()) / 20
        assert float(weights.mean()) == pytest.approx(exact, abs=5 * noise)
        assert noise < 0.1 * exact


def test_posterior_is_the_exact_one(source: RowSource, trained: ConditionalFlow) -> None:
    # All three scores: the posterior precision is 1 + SLOPES SLOPES' / SPREAD^2.
    scores = torch.tensor([1.0, 0.9, 0.7])
    n = 400
    evidence = evidence_of(source, rows(*[tuple(scores.tolist())] * n), [True, True, True])
    found = propose(trained, source, evidence, torch.Generator().manual_seed(0))
    # All rows are the same: their candidates count as one set.
    weights = torch.softmax(found.log_weights.flatten(), 0)[:, None]
    mean = (weights * found.latents.flatten(0, 1)).sum(0)
    precision = torch.eye(2) + SLOPES @ SLOPES.T / SPREAD**2
    exact = torch.linalg.solve(precision, SLOPES @ scores / SPREAD**2)
    torch.testing.assert_close(mean, exact, atol=0.02, rtol=0)
    # Many more of the candidates count than of a network that has learned nothing.
    blank = ConditionalFlow(n_features(source.generator.cells), 2)
    rival = propose(blank, source, evidence, torch.Generator().manual_seed(0))
    assert _effective(found.log_weights) > 1.5 * _effective(rival.log_weights)


def _effective(logs: Tensor) -> float:
    """Return the median number of vectors that count."""
    return float((1 / (torch.softmax(logs, 1) ** 2).sum(1)).median())


def test_a_wrong_network_costs_accuracy_and_no_more(source: RowSource) -> None:
    wrong = ConditionalFlow(n_features(source.generator.cells), 2)
    with torch.no_grad():
        wrong.base.bias[:2] = 4.0  # where hardly any row comes from
    n = 3_000
    evidence = evidence_of(source, rows(*[(0.5, 0.0, 0.0)] * n), [True, False, False])
    found = propose(wrong.eval(), source, evidence, torch.Generator().manual_seed(0))
    weights = found.log_weights.exp()
    exact = math.exp(log_normal_ratio(0.5, 1 + SPREAD**2))
    noise = float(weights.mean(1).std()) / math.sqrt(n)
    assert float(weights.mean()) == pytest.approx(exact, abs=5 * noise)
    assert noise < 0.05 * exact
    likeliest = -math.log(SPREAD) + 0.5 * 0.5**2
    assert float(found.log_weights.max()) <= likeliest + math.log(8) + 1e-4


def test_nothing_known_is_the_prior(source: RowSource, trained: ConditionalFlow) -> None:
    evidence = evidence_of(source, rows(*[(0.0, 0.0, 0.0)] * 200), [False, False, False])
    found = propose(trained, source, evidence, torch.Generator().manual_seed(0))
    assert float(estimate(found.log_weights).mean()) == pytest.approx(0.0, abs=0.05)
    weights = torch.softmax(found.log_weights, 1)[:, :, None]
    assert (weights * found.latents).sum(1).mean(0).abs().max() < 0.1
    assert (weights * found.latents**2).sum(1).mean(0).tolist() == pytest.approx([1, 1], abs=0.1)


def test_training_is_a_function_of_the_generator(
    source: RowSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_STEPS", 5)
    state = torch.get_rng_state()
    before = [p.clone() for p in source.generator.parameters()]
    source.generator.train()
    first = train_proposal(source, linear_layout())
    torch.rand(3)
    with torch.inference_mode():
        second = train_proposal(source, linear_layout())
    assert source.generator.training  # left as it was
    source.generator.eval()
    for name, value in first.state_dict().items():
        torch.testing.assert_close(second.state_dict()[name], value, rtol=0, atol=0)
    assert not first.training
    assert not any(p.requires_grad for p in first.parameters())
    assert all(p.grad is None for p in source.generator.parameters())
    assert all(
        torch.equal(a, b) for a, b in zip(before, source.generator.parameters(), strict=True)
    )
    torch.set_rng_state(state)


def test_candidates_repeat_with_the_seed(source: RowSource, trained: ConditionalFlow) -> None:
    evidence = evidence_of(source, rows((1.0, 0.2, 0.1)), [True, True, False])
    draws = [
        propose(trained, source, evidence, torch.Generator().manual_seed(s)) for s in (0, 0, 1)
    ]
    assert torch.equal(draws[0].latents, draws[1].latents)
    assert torch.equal(draws[0].log_weights, draws[1].log_weights)
    assert not torch.equal(draws[0].latents, draws[2].latents)


def test_masks_hide_whole_columns(source: RowSource) -> None:
    del source
    blocks, heads = module._random_masks(linear_layout(), 4_000, np.random.default_rng(0))
    assert blocks.shape == (4_000, 2)
    assert heads.shape == (4_000, 3)
    assert (blocks[:, 0] == heads[:, 2]).all()  # gate and head are one column
    assert not (heads[:, 0] == heads[:, 1]).all()
    share = np.concatenate([blocks[:, 1:], heads], axis=1).mean(axis=1)
    assert [(share == s).mean() for s in (0.0, 1.0)] == pytest.approx([0.2, 0.2], abs=0.03)


def test_shapes_on_no_device_at_all() -> None:
    network = LinearGenerator(linear_layout(), latent=2, width=4, blocks=1).to("meta")
    source = RowSource(network)
    proposal = ConditionalFlow(n_features(network.cells), 2).to(source.device)
    evidence = evidence_of(source, rows((1.0, 0.2, 0.1)), [True, True, False])
    context = proposal.context(evidence.features(network.cells))
    assert proposal.log_density(context, torch.empty(1, 2, device="meta")).shape == (1,)
    assert context[0].shape == (1, 2)
    assert context[0].device.type == "meta"


def test_densities_are_those_of_the_draws(source: RowSource, trained: ConditionalFlow) -> None:
    evidence = evidence_of(source, rows((1.0, 0.9, 0.0)), [True, True, False])
    context = trained.context(evidence.features(source.generator.cells))
    noise = torch.randn(1, 2, generator=torch.Generator().manual_seed(0))
    z = trained.draw(context, noise)
    jacobian = torch.autograd.functional.jacobian(lambda e: trained.draw(context, e)[0], noise)
    expected = -0.5 * (noise**2).sum() - torch.linalg.slogdet(jacobian[:, 0])[1]
    torch.testing.assert_close(trained.log_density(context, z)[0], expected, rtol=1e-4, atol=1e-4)


def test_one_coordinate_is_enough() -> None:
    network = LinearGenerator(linear_layout(), latent=1, width=4, blocks=1)
    proposal = ConditionalFlow(n_features(network.cells), 1)
    features = torch.zeros(3, network.cells.n_states + 2 + 6)
    z = proposal.draw(proposal.context(features), torch.ones(3, 1))
    assert z.shape == (3, 1)
    assert proposal.log_density(proposal.context(features), z).tolist() == [-0.5] * 3
