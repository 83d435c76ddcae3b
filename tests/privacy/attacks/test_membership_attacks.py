"""Known answers of every attack on membership, on lines of numbers and toy densities."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import gaussian_kde, multivariate_normal

from synthgen.errors import InvalidParameterError
from synthgen.privacy.attacks.arena import Arena
from synthgen.privacy.attacks.calibrated import Calibrated
from synthgen.privacy.attacks.classifier import Classifier
from synthgen.privacy.attacks.copies import Copies, matches
from synthgen.privacy.attacks.density import Projection, log_density, scott
from synthgen.privacy.attacks.domias import Domias
from synthgen.privacy.attacks.likelihood_ratio import LikelihoodRatio, gain
from synthgen.privacy.attacks.membership import ATTACKS, Attack
from synthgen.privacy.attacks.monte_carlo import MonteCarlo
from synthgen.privacy.attacks.nearest import Nearest
from synthgen.privacy.attacks.neighbourhood import Neighbourhood
from synthgen.privacy.attacks.white_box import Critic, Likelihood
from tests.privacy.attacks.toys import line

# The width of the middle 95 % of the scale rows 0 and 1.
WIDTH = 0.95


def test_nearest_by_hand():
    arena = line([0.0, 0.3, 0.4, 0.8, 2.0, 5.0], [0.0], [0.1, 0.8])
    scores = Nearest().scores(arena)
    np.testing.assert_allclose(scores["nearest"] * WIDTH, [-0.1, 0.0], atol=1e-6)
    np.testing.assert_allclose(scores["nearest by range"], [-0.1, 0.0], atol=1e-6)
    gaps = [np.mean([0.1, 0.2, 0.3, 0.7, 1.9]), np.mean([0.0, 0.4, 0.5, 0.8, 1.2])]
    np.testing.assert_allclose(scores["mean of five"] * WIDTH, -np.array(gaps), atol=1e-6)


def test_calibrated_by_hand():
    scores = Calibrated().scores(line([0.0], [0.5], [0.1, 0.4]))
    np.testing.assert_allclose(scores["difference"] * WIDTH, [0.3, -0.3], atol=1e-6)
    np.testing.assert_allclose(scores["ratio"], [np.log(4), -np.log(4)], atol=1e-4)
    np.testing.assert_allclose(scores["ratio by range"], [np.log(4), -np.log(4)], atol=1e-4)


def test_monte_carlo_by_hand():
    # Distances to the nearest: 0, .1, .3; their median is .1.
    arena = line([0.0, 0.05, 0.1, 1.0], [0.0], [0.0, 0.2, 1.3])
    np.testing.assert_array_equal(MonteCarlo().scores(arena)["median"], [3, 1, 0])


def test_neighbourhood_by_hand():
    # Of the five rows nearest to 0, three are synthetic; the tables have five and four rows.
    arena = line([0.1, 0.2, 0.3, 5.0, 6.0], [0.15, 0.25, 7.0, 8.0], [0.0])
    expected = np.log(3.5 / 2.5) + np.log(4 / 5)
    np.testing.assert_allclose(Neighbourhood().scores(arena)["5 rows"], [expected], atol=1e-6)


def test_density_equals_scipy():
    rng = np.random.default_rng(0)
    data, points = rng.normal(size=(50, 2)), rng.normal(size=(9, 2))
    own = log_density(points, data, 0.4)
    parts = [multivariate_normal(row, 0.16).pdf(points) for row in data]
    np.testing.assert_allclose(own, np.log(np.mean(parts, axis=0)), atol=1e-6)
    line_data = data[:, 0] / data[:, 0].std(ddof=1)
    kernel = gaussian_kde(line_data)
    own = log_density(points[:, :1], line_data[:, None], scott(50, 1))
    np.testing.assert_allclose(own, kernel.logpdf(points[:, 0]), atol=1e-6)


def test_domias_is_the_ratio_of_two_densities():
    arena = line(np.linspace(0, 1, 30), np.linspace(0.5, 2, 20), [0.2, 1.4])
    space = arena.projection
    expected = log_density(space.targets, space.synthetic, scott(30, 1))
    expected -= log_density(space.targets, space.reference, scott(20, 1))
    scores = Domias().scores(arena)["bandwidth 1"]
    np.testing.assert_allclose(scores, expected, atol=1e-6)
    assert scores[0] > 0 > scores[1]


def test_gain_equals_the_difference_of_two_densities():
    rng = np.random.default_rng(1)
    real, targets, near = rng.normal(size=(30, 2)), rng.normal(size=(4, 2)), rng.normal(size=(5, 2))
    before = log_density(near, real, 0.5)
    got = gain(np.tile(near, (4, 1, 1)), targets, np.tile(before, (4, 1)), 0.5, 30)
    for own, target in zip(got, targets, strict=True):
        after = log_density(near, np.vstack([real, target]), 0.5)
        np.testing.assert_allclose(own, after - before, atol=1e-6)


def test_likelihood_ratio_prefers_rows_that_explain_synthetic_ones():
    arena = line([3.0, 3.01, 0.5], np.linspace(0, 1, 40), [3.0, 0.5])
    scores = LikelihoodRatio().scores(arena)
    assert scores["1 rows"][0] > scores["1 rows"][1]


def test_classifier_knows_the_synthetic_side():
    rng = np.random.default_rng(0)
    arena = line(rng.normal(2, 1, 400), rng.normal(0, 1, 400), [3.0, -1.0])
    scores = Classifier(n_estimators=20).scores(arena)["trees"]
    assert scores[0] > scores[1]


def test_copies_by_hand():
    made = np.array([[1.0, 5.0], [2.0, 6.0], [2.0, 6.0]])
    real = np.array([[1.0, 7.0], [3.0, 8.0]])
    targets = np.array([[1.0, 5.0], [2.0, 6.0], [3.0, 6.0], [np.nan, 5.0]])
    arena = Arena(made, real, targets, real, ["a", "b"], [0, 0])
    found, unique, fresh = matches(arena, [0, 1])
    assert found.tolist() == [True, True, False, False]
    assert unique.tolist() == [True, False, False, False]
    assert fresh.tolist() == [True, True, False, False]
    scores = Copies().scores(arena)
    assert scores["exact"].tolist() == [1, 1, 0, 0]
    # Column a: 2 is not in the reference; column b: 5 and 6 are not.
    assert scores["values not in reference"].tolist() == [1, 2, 1, 1]


def test_missing_equals_missing_in_copies():
    made, real = np.array([[np.nan, 1.0]]), np.array([[0.0, 2.0]])
    arena = Arena(made, real, np.array([[np.nan, 1.0]]), real, ["a", "b"], [0, 0])
    assert matches(arena, [0, 1])[0].tolist() == [True]


class _Model:
    def score_samples(self, frame):
        return frame["x"].to_numpy() * 2.0


def test_white_box_attacks_ask_the_model():
    frame = pd.DataFrame({"x": [0.2, 0.9]})
    arena = line([0.0, 1.0], [0.1, 0.9], [0.2, 0.9], target_frame=frame, model=_Model())
    scores = Likelihood().scores(arena)
    assert scores["model"].tolist() == [0.4, 1.8]
    common = log_density(arena.projection.targets, arena.projection.reference, scott(2, 1))
    np.testing.assert_allclose(scores["model against population"], [0.4, 1.8] - common, atol=1e-6)
    assert Likelihood().missing(arena) is None
    assert "no model" in Likelihood().missing(line([0.0], [1.0], [1.0]))
    assert "score_samples" in Likelihood().missing(line([0.0], [1.0], [1.0], model=object()))
    assert "critic" in Critic().missing(arena)
    with_critic = line([0.0], [1.0], [0.2, 0.9], target_frame=frame, critic=lambda own: -own["x"])
    assert Critic().scores(with_critic)["critic"].tolist() == [-0.2, -0.9]


@pytest.mark.parametrize("attack", [each for each in ATTACKS if not hasattr(each, "missing")])
def test_scores_do_not_depend_on_the_other_targets_order(attack):
    rng = np.random.default_rng(3)
    made, real, targets = (rng.normal(size=(n, 3)) for n in (80, 60, 30))
    arena = Arena(made, real, targets, real, list("abc"), [0, 0, 0])
    other = Arena(made, real, targets[::-1], real, list("abc"), [0, 0, 0])
    assert isinstance(attack, Attack)
    first, second = attack.scores(arena), attack.scores(other)
    for name, values in first.items():
        assert values.shape == (30,)
        np.testing.assert_allclose(values, second[name][::-1], atol=1e-9)


def test_projection_has_unit_variance_and_knows_no_targets():
    rng = np.random.default_rng(0)
    made, real = rng.normal(size=(300, 3)) * [1, 5, 0.1], rng.normal(size=(300, 3)) * [1, 5, 0.1]
    first = Arena(made, real, real[:5], real, list("abc"), [0, 0, 0]).projection
    second = Arena(made, real, 1e6 * real[:5], real, list("abc"), [0, 0, 0]).projection
    assert isinstance(first, Projection)
    both = np.concatenate([first.synthetic, first.reference])
    np.testing.assert_allclose(both.var(axis=0, ddof=1), 1.0, atol=1e-6)
    np.testing.assert_array_equal(first.reference, second.reference)


@pytest.mark.parametrize(
    "answer",
    [
        lambda frame: np.zeros((len(frame), 1)),
        lambda frame: np.zeros(1),
        lambda frame: 3.0,
        lambda frame: np.full(len(frame), np.nan),
        lambda frame: frame["nothing"],
        lambda frame: float("x"),
    ],
)
def test_answers_of_a_model_that_make_no_sense(answer):
    class Odd:
        score_samples = staticmethod(answer)

    frame = pd.DataFrame({"x": [0.2, 0.9]})
    arena = line([0.0, 1.0], [0.1, 0.9], [0.2, 0.9], target_frame=frame, model=Odd())
    with pytest.raises(InvalidParameterError, match="score_samples of the model must give"):
        Likelihood().scores(arena)
