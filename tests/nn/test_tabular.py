from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from synthgen.encode.layout import FAR, Head, Layout, StateBlock
from synthgen.encode.numeric import bin_middles
from synthgen.nn.tabular import CriticInput, TabularCritic, TabularGenerator
from tests.nn.layouts import EDGES, small_layout

STATES = 7
LEVELS = 2
HEADS = 2


def generator_of(layout: Layout, **options: int) -> TabularGenerator:
    torch.manual_seed(0)
    return TabularGenerator(layout, latent=6, width=32, blocks=1, **options)


@pytest.fixture(autouse=True)
def _own_random_numbers() -> object:
    with torch.random.fork_rng(devices=[]):
        yield


def rows(codes: list[list[int]]) -> torch.Tensor:
    """Return zeros and ones of rows given by their two states."""
    hot = torch.zeros(len(codes), STATES)
    for row, (first, second) in enumerate(codes):
        hot[row, first] = hot[row, 3 + second] = 1.0
    return hot


def test_the_generator_starts_near_the_marginals() -> None:
    layout = small_layout()
    generator = generator_of(layout)
    with torch.no_grad():
        row = generator(torch.randn(4_000, 6))
    shares = generator.cells.softmax(row.logits).mean(0).numpy()
    expected = np.concatenate([block.frequencies for block in layout.blocks])
    np.testing.assert_allclose(shares, expected, atol=0.2)
    assert np.argmax(shares[:3]) == 0
    assert row.mean.abs().mean().item() < 0.3
    assert row.spread.mean().item() == pytest.approx(1.0, abs=0.2)


def test_the_generator_gives_one_distribution_per_latent_vector() -> None:
    generator = generator_of(small_layout(), condition=3).eval()
    z = torch.randn(5, 9)
    with torch.no_grad():
        row = generator(z)
        alone = generator(z[2:3])
    assert row.logits.shape == (5, STATES)
    assert row.mean.shape == row.spread.shape == (5, HEADS)
    assert (row.spread > 0).all()
    torch.testing.assert_close(alone.logits, row.logits[2:3])


def test_shapes_on_the_meta_device() -> None:
    layout = small_layout()
    generator = generator_of(layout).to("meta")
    row = generator(torch.empty(5, 6, device="meta"))
    assert row.logits.shape == (5, STATES)
    critic = TabularCritic(21, width=8, blocks=1, pack=5).to("meta")
    assert critic(torch.empty(20, 21, device="meta")).shape == (4,)


def test_low_precision_changes_little() -> None:
    precise, rough = generator_of(small_layout()), generator_of(small_layout(), low_precision=True)
    z = torch.randn(64, 6)
    with torch.no_grad():
        a, b = precise(z), rough(z)
    assert a.logits.dtype == b.logits.dtype == torch.float32
    assert not torch.equal(a.logits, b.logits)
    torch.testing.assert_close(a.logits, b.logits, rtol=0.1, atol=0.1)


def test_the_critic_sees_states_levels_and_views_of_open_heads() -> None:
    features = CriticInput(small_layout())
    x = features(rows([[0, 3], [1, 1]]), torch.tensor([[-0.3, 0.1], [0.0, 0.1]]))
    assert x.shape == (2, features.width)
    assert features.width == STATES + LEVELS + 7 * HEADS + 1
    assert x[:, STATES : STATES + LEVELS].tolist() == [[1.0, 40.0], [0.0, 20.0]]
    views = x[:, STATES + LEVELS : -1].reshape(2, 7, HEADS)
    assert views[0, :, 0].abs().min() > 0
    # The first head's gate is closed in the second row.
    assert views[1, :, 0].tolist() == [0.0] * 7
    u = torch.special.ndtr(torch.tensor(0.1)).item()
    waves = [math.cos(math.pi * f * u) for f in (2, 3, 4, 5)]
    expected = [0.1, (2 * u - 1) * math.sqrt(3), 0.0, *waves]
    for seen in (views[0, :, 1], views[1, :, 1]):
        assert seen[[0, 1, 3, 4, 5, 6]].tolist() == pytest.approx(
            [expected[k] for k in (0, 1, 3, 4, 5, 6)], abs=1e-5
        )


def test_scores_inside_an_atom_are_snapped_to_its_middle() -> None:
    features = CriticInput(small_layout())
    middle = bin_middles(EDGES)[2]
    states = rows([[0, 0]] * 4 + [[2, 0]])
    scores = torch.tensor([[0.1, 0.0], [0.4, 0.0], [-0.1, 0.0], [0.6, 0.0], [0.0, 0.0]])
    x = features(states, scores)
    v = x[:, STATES + LEVELS]
    assert v[:4].tolist() == pytest.approx([middle, middle, -0.1, 0.6])
    assert x[:, -1].tolist() == [1.0, 1.0, 0.0, 0.0, 0.0]


def test_the_curve_passes_through_its_points_at_the_edges() -> None:
    layout = small_layout()
    features = CriticInput(layout)
    place = STATES + LEVELS + 2 * HEADS
    for head, inner in ((0, (1, 2, 3)), (1, (1, 2))):
        edges, curve = layout.heads[head].edges, layout.heads[head].curve
        scores = torch.zeros(len(inner) + 2, 2)
        scores[:, head] = torch.tensor([-3.5, *(edges[k] - 1e-5 for k in inner), 3.5])
        x = features(rows([[0, 0]] * len(scores)), scores)[:, place + head]
        expected = [curve[0], *(curve[k] for k in inner), curve[-1]]
        if head == 0:
            # Below the edge .5 lies the atom: its middle is seen instead.
            middle = bin_middles(EDGES)[2]
            expected[3] = curve[2] + (curve[3] - curve[2]) * middle / 0.5
        assert x.tolist() == pytest.approx(expected, abs=1e-3)


def test_gradients_reach_the_score_the_gate_and_the_atoms_probability() -> None:
    features = CriticInput(small_layout())
    states = rows([[0, 1]]).requires_grad_()
    scores = torch.tensor([[0.2, 0.3]], requires_grad=True)
    bins = torch.full((1, 7), 0.2, requires_grad=True)
    x = features(states, scores, bins)
    assert x[0, -1].item() == pytest.approx(1.0)
    (by_atom,) = torch.autograd.grad(x[0, -1], bins, retain_graph=True)
    assert by_atom.tolist() == [[0, 0, 1, 0, 0, 0, 0]]
    by_state, by_score = torch.autograd.grad(x[0, STATES + LEVELS], (states, scores))
    assert by_score.tolist() == [[1.0, 0.0]]
    assert by_state[0, 0].item() == pytest.approx(bin_middles(EDGES)[2])


def test_a_layout_of_states_only_or_of_heads_only() -> None:
    block = StateBlock(0, np.array([0.5, 0.5]), np.empty((2, 0)))
    only_states = CriticInput(Layout((block,)))
    assert only_states(torch.eye(2), torch.empty(2, 0)).tolist() == [[1, 0], [0, 1]]
    edges = np.array([-FAR, 0.0, FAR])
    head = Head(0, edges, np.zeros(2, bool), np.array([-1.0, 0.0, 1.0]))
    only_heads = Layout((), (head,))
    features = CriticInput(only_heads)
    assert features(torch.empty(3, 0), torch.zeros(3, 1)).shape == (3, 7)
    row = generator_of(only_heads)(torch.randn(3, 6))
    assert row.logits.shape == (3, 0)
    assert row.mean.shape == (3, 1)


def test_each_score_depends_on_its_own_record_only() -> None:
    torch.manual_seed(0)
    critic = TabularCritic(9, width=16, blocks=2)
    x = torch.randn(6, 9, requires_grad=True)
    for row in range(6):
        (gradient,) = torch.autograd.grad(critic(x)[row], x)
        others = torch.arange(6) != row
        assert gradient[row].abs().sum() > 0
        assert (gradient[others] == 0).all()


def test_packed_records_are_judged_together() -> None:
    torch.manual_seed(0)
    critic = TabularCritic(4, width=8, blocks=1, pack=3)
    x = torch.randn(6, 4, requires_grad=True)
    scores = critic(x)
    assert scores.shape == (2,)
    (gradient,) = torch.autograd.grad(scores[1], x)
    assert (gradient.abs().sum(1) > 0).tolist() == [False] * 3 + [True] * 3
