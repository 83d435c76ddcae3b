from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from synthgen.errors import RecipeError
from synthgen.train.f_divergences import F_DIVERGENCES
from synthgen.train.feature_terms import FeatureMatching, MutualInformation, Unrolled
from synthgen.train.input_terms import AdaptiveAugment, DiffAugment, InstanceNoise
from synthgen.train.objective import OBJECTIVES
from synthgen.train.penalties import R1, Consistency, Dragan, LipschitzPenalty
from synthgen.train.score_terms import LabelSmoothing, LeCam, TopK
from synthgen.train.terms import TERMS, TermSpec
from synthgen.train.unrolling import unrolled_scores
from tests.train.image_tasks import SMALL, image_task


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


class Slope(nn.Module):
    """A critic with the gradient (3, 4) everywhere."""

    shape = (1, 1, 2)
    n_pixels = 2

    def forward(self, records: Tensor) -> Tensor:
        return records[:, :2] @ torch.tensor([3.0, 4.0])

    def features(self, records: Tensor) -> Tensor:
        return records[:, :2]


@pytest.mark.parametrize(
    ("name", "bound"),
    [
        ("f_kl", 0.0),
        ("f_reverse_kl", 0.0),
        ("f_pearson", 0.0),
        ("f_neyman", 0.0),
        ("f_hellinger", 0.0),
        ("f_js", 0.0),
        ("f_alpha", 0.0),
    ],
)
def test_the_bound_of_equal_distributions_is_no_divergence(name: str, bound: float) -> None:
    """Maximising E g(v) - E f*(g(v)) over v for P = Q gives f(1), which is 0."""
    objective = F_DIVERGENCES[name]
    score = torch.linspace(-6, 6, 24_001)
    best = -objective.critic(score, score)
    assert best.max().item() == pytest.approx(bound, abs=1e-4)


@pytest.mark.parametrize("name", sorted(F_DIVERGENCES))
def test_extreme_scores_stay_finite(name: str) -> None:
    score = torch.tensor([-1e6, -50.0, 50.0, 1e6], requires_grad=True)
    loss = OBJECTIVES[name].critic(score, score) + OBJECTIVES[name].generator(score, score)
    (gradient,) = torch.autograd.grad(loss.sum(), score)
    assert torch.isfinite(loss).all()
    assert torch.isfinite(gradient).all()


def test_hinge_at_known_scores() -> None:
    hinge = OBJECTIVES["hinge"]
    real, fake = torch.tensor([2.0, 0.5]), torch.tensor([-2.0, 0.5])
    assert hinge.critic(real, fake).tolist() == [0.0, 2.0]
    assert hinge.generator(real, fake).tolist() == [2.0, -0.5]


def test_penalties_of_a_constant_slope() -> None:
    real, fake = torch.rand(4, 2, generator=rng()), torch.rand(4, 2, generator=rng())
    critic = Slope()
    for term, expected in (
        (R1(gamma=2.0, every=3), 75.0),
        (Dragan(weight=1.0), 16.0),
        (LipschitzPenalty(weight=1.0), 16.0),
    ):
        value = term(critic, real, fake, rng())
        torch.testing.assert_close(value, torch.full((4,), expected), rtol=1e-4, atol=1e-4)
    flat = Slope()
    flat.forward = lambda records: records[:, 0] * 0.5  # type: ignore[method-assign] # a stub
    assert LipschitzPenalty()(flat, real, fake, rng()).abs().max() == 0


def test_noise_of_dragan_leaves_conditions_alone() -> None:
    seen = []

    class Watch(Slope):
        def forward(self, records: Tensor) -> Tensor:
            seen.append(records.detach())
            return super().forward(records)

    real = torch.rand(4, 5, generator=rng())
    Dragan()(Watch(), real, real, rng())
    assert torch.equal(seen[0][:, 2:], real[:, 2:])
    assert not torch.equal(seen[0][:, :2], real[:, :2])


def test_consistency_is_zero_for_images_that_do_not_change() -> None:
    task = image_task()
    flat = torch.ones(4, 74) * 0.3
    assert Consistency()(task.critic, flat, flat, rng()).abs().max() < 1e-5
    real = task.real(torch.arange(4), torch.zeros(4, 10))
    assert Consistency()(task.critic, real, real, rng()).abs().max() > 0


def test_terms_about_scores() -> None:
    real, fake = torch.tensor([1.0, 2.0]), torch.tensor([-1.0, 0.0])
    value, _ = LabelSmoothing(0.1)(real, fake, {})
    torch.testing.assert_close(value, torch.tensor([0.1, 0.2]))
    smooth = 0.9 * nn.functional.softplus(-real) + 0.1 * nn.functional.softplus(real)
    torch.testing.assert_close(nn.functional.softplus(-real) + value, smooth)
    lecam = LeCam(weight=1.0, decay=0.5)
    value, state = lecam(real, fake, lecam.start())
    torch.testing.assert_close(value, torch.tensor([2.0, 4.0]))
    assert state["real"].item() == pytest.approx(0.75)
    assert state["fake"].item() == pytest.approx(-0.25)


def test_top_k_keeps_the_best() -> None:
    scores = torch.tensor([0.0, 3.0, 1.0, 2.0])
    term = TopK(least=0.5, until=0.5)
    assert term.weights(scores, 0.0).tolist() == [1.0] * 4
    assert term.weights(scores, 0.9).tolist() == [0.0, 2.0, 0.0, 2.0]


def test_input_terms_change_pixels_only() -> None:
    task = image_task()
    records = task.real(torch.arange(8), torch.eye(10)[:8])
    terms: list[Any] = [InstanceNoise(0.5), DiffAugment(), AdaptiveAugment()]
    for term in terms:
        state = term.start()
        state = {name: torch.ones(()) for name in state}
        seen = term(task.critic, records, state, rng())
        assert seen.shape == records.shape
        assert torch.equal(seen[:, 64:], records[:, 64:])
        assert not torch.equal(seen, records)


def test_schedules_of_input_terms() -> None:
    noise = InstanceNoise(0.4, until=0.5)
    assert noise.observe(torch.zeros(2), 0.25, {})["spread"].item() == pytest.approx(0.2)
    assert noise.observe(torch.zeros(2), 0.7, {})["spread"].item() == 0.0
    ramp = DiffAugment(p=0.8, ramp=1.0)
    assert ramp.observe(torch.zeros(2), 0.5, ramp.start())["p"].item() == pytest.approx(0.4)
    ada = AdaptiveAugment(images=100.0)
    state = ada.start()
    for _ in range(60):
        state = ada.observe(torch.ones(10), 0.5, state)
    assert state["p"].item() == pytest.approx(0.8)
    for _ in range(200):
        state = ada.observe(-torch.ones(10), 0.5, state)
    assert state["p"].item() == 0.0


def test_adaptive_augmentation_waits_until_images_can_be_known_by_heart() -> None:
    ada = AdaptiveAugment(images=100.0, after=100.0)
    state = ada.start()
    for _ in range(10):
        state = ada.observe(torch.ones(10), 0.1, state)
    assert state["p"].item() == 0.0
    state = ada.observe(torch.ones(10), 0.1, state)
    assert state["p"].item() == pytest.approx(0.1)


def test_feature_matching_is_the_distance_of_means() -> None:
    real, fake = torch.tensor([[0.0, 0.0], [2.0, 0.0]]), torch.tensor([[4.0, 4.0], [4.0, 0.0]])
    value = FeatureMatching(weight=2.0)(Slope(), real, fake, rng())
    assert value.tolist() == [26.0, 26.0]


def test_mutual_information_is_bounded_by_the_entropy() -> None:
    term = MutualInformation(categories=10, continuous=0)
    assert term.figure(0.0) == ("mutual_information", pytest.approx(math.log(10)))


def test_unrolled_scores_differentiate_through_the_critics_answer() -> None:
    """With one step on a linear critic s = w x and the Wasserstein loss, w' = w - rate (f - r)."""
    critic = nn.Linear(1, 1, bias=False)
    flat = nn.Sequential(critic, nn.Flatten(0))
    with torch.no_grad():
        critic.weight.fill_(2.0)
    real, fake = torch.tensor([[1.0]]), torch.tensor([[3.0]], requires_grad=True)
    scores = unrolled_scores(flat, OBJECTIVES["wasserstein"], Unrolled(1, 0.1), real, fake)
    assert scores.item() == pytest.approx((2.0 - 0.1 * 2.0) * 3.0)
    (gradient,) = torch.autograd.grad(scores.sum(), fake)
    assert gradient.item() == pytest.approx(1.8 - 0.1 * 3.0)
    assert critic.weight.item() == 2.0


PENALTIES = ("r1", "gradient_penalty", "zero_centred_penalty", "dragan", "lipschitz_penalty")


@pytest.mark.parametrize("name", PENALTIES)
def test_gradient_penalties_refuse_batch_norm(name: str) -> None:
    recipe = SMALL.replace(spectral="none", critic_norm="batch", terms=(TermSpec(name),))
    with pytest.raises(RecipeError, match=f"'{name}' and 'batch_norm' cannot be combined"):
        recipe.check()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"objective": "relativistic", "terms": (TermSpec("ada"),)}, "'ada' and 'relativistic'"),
        ({"objective": "least_squares", "terms": (TermSpec("ada"),)}, "'ada' needs one of"),
        ({"terms": (TermSpec("ada"), TermSpec("diffaug"))}, "'ada' and 'diffaug'"),
        ({"terms": (TermSpec("unrolled"),)}, "'unrolled' and 'spectral_norm'"),
        ({"terms": (TermSpec("label_smoothing"),)}, "needs one of"),
        ({"terms": (TermSpec("moments"),)}, "'moments' needs 'cells'"),
        ({"condition": "none", "terms": (TermSpec("auxiliary_classes"),)}, "needs 'class_head'"),
        ({"terms": (TermSpec("r1", {"gamma": 1, "speed": 2}),)}, "speed"),
        ({"critic_norm": "batch"}, "undo each other"),
        ({"architecture": "plain"}, "no spectral norm"),
        ({"architecture": "dense", "critic_norm": "layer"}, "no normalisation"),
        ({"architecture": "style", "spectral": "both"}, "batch normalisation"),
        ({"attention": True}, "neither attention"),
        ({"minibatch_std": True, "batch_size": 24}, "16 divides"),
        ({"solver": "sgd"}, "solver must be one of"),
    ],
)
def test_impossible_combinations_fail_by_name(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        SMALL.replace(**changes).check()


def test_table_recipes_refuse_terms_of_images() -> None:
    from synthgen.train.recipe import Recipe

    with pytest.raises(RecipeError, match="'diffaug' needs 'images'"):
        Recipe(name="t", terms=(TermSpec("diffaug"),)).check()


def test_every_term_says_where_it_acts() -> None:
    sides = {"generator", "critic", "through", "both", "scores", "input", "selection", "ahead"}
    sides.add("path")
    assert {make.side for make in TERMS.values()} == sides  # type: ignore[attr-defined] # classes


def test_unrolled_scores_judge_the_sides_apart_where_batches_matter() -> None:
    sizes = []

    class Apart(nn.Module):
        judges_apart = True

        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.ones(1))

        def forward(self, records: torch.Tensor) -> torch.Tensor:
            sizes.append(len(records))
            return (self.weight * records).flatten()

    real, fake = torch.zeros(3, 1), torch.ones(3, 1, requires_grad=True)
    unrolled_scores(Apart(), OBJECTIVES["wasserstein"], Unrolled(2, 0.1), real, fake)
    assert sizes == [3] * 5


def test_penalties_of_packs() -> None:
    class Packed(nn.Module):
        pack = 2

        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.full((4, 1), 1.5))

        def forward(self, records: torch.Tensor) -> torch.Tensor:
            return (records.reshape(-1, 4) @ self.weight).flatten()

    real, fake = torch.zeros(6, 2), torch.ones(6, 2)
    rng = torch.Generator().manual_seed(0)
    # The gradient of a pack has four entries of 1.5, and so the norm 3.
    for name in ("gradient_penalty", "lipschitz_penalty"):
        found = TERMS[name](weight=1.0)(Packed(), real, fake, rng)
        assert found.tolist() == pytest.approx([4.0] * 3)
    # Of six records three would be half of the batch, and one and a half packs.
    found = TERMS["zero_centred_penalty"](gamma=2.0, every=1)(Packed(), real, fake, rng)
    assert len(found) == 2


def test_noise_that_ends_at_once() -> None:
    term = TERMS["instance_noise"](until=0.0)
    assert float(term.observe(torch.zeros(1), 0.0, term.start())["spread"]) == 0.0
