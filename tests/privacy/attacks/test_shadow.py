"""Shadow models: what they find of a copier, and that they find nothing where nothing is."""

import numpy as np
import pytest

from synthgen.errors import InvalidDataError, InvalidParameterError
from synthgen.privacy.attacks import shadow
from synthgen.privacy.attacks.recipe import recipe_of
from synthgen.privacy.attacks.shadow import shadow_attack
from tests.privacy.attacks.toys import mixed


class Copier:
    """Releases what it was fitted on."""

    def fit(self, frame):
        self.frame = frame
        return self

    def sample(self, n, random_state=None):
        return self.frame.sample(n, replace=False, random_state=random_state)


class Deaf(Copier):
    """Releases fresh rows whatever it was fitted on."""

    def sample(self, n, random_state=None):
        return mixed(n, seed=random_state)


def outliers(n=2):
    records = mixed(n, seed=5)
    records["x"] = np.linspace(40.0, 60.0, n)
    return records


def attack(kind, records, background=None, **options):
    return shadow_attack(
        lambda seed: kind(),
        records,
        mixed(300) if background is None else background,
        n_rows=100,
        random_state=0,
        **options,
    )


def test_a_copier_is_told():
    result = attack(Copier, outliers(), n_shadows=16)
    assert result.population == "chosen"
    assert result.auc == 1.0
    assert result.details["by_record"] == {"0": 1.0, "1": 1.0}
    assert (result.details["fits"], result.details["records"]) == (16, 2)
    # A quarter of the generators is reported, half of them with each record.
    assert (result.n_members, result.n_holdout) == (4, 4)


def test_nothing_is_learned_of_a_deaf_generator():
    result = attack(Deaf, outliers(12), n_shadows=48)
    assert result.auc_interval[0] <= 0.5 <= result.auc_interval[1]
    assert result.epsilon_lower == 0.0


def test_each_record_is_in_half_of_every_part():
    inside = shadow._inside(24, 7, seed=3)
    assert inside.shape == (24, 7)
    for start in range(0, 24, 8):
        block = inside[start : start + 8]
        for part, half in ((block[:4], 2), (block[4:6], 1), (block[6:], 1)):
            assert (part.sum(axis=0) == half).all()
    # Records are drawn on their own.
    assert len({tuple(column) for column in inside.T}) == 7


def test_generators_see_the_records_that_they_should_and_nothing_twice():
    seen = []

    class Watched(Copier):
        def fit(self, frame):
            seen.append(frame)
            return super().fit(frame)

    records = outliers(3)
    attack(Watched, records, n_shadows=16)
    inside = shadow._inside(16, 3, seed=0)
    for frame, present in zip(seen, inside, strict=True):
        assert len(frame) == 100
        assert frame["x"].isin(records["x"][present]).sum() == present.sum()
        assert not frame["x"].isin(records["x"][~present]).any()
        assert frame["x"].is_unique


def test_it_stops_when_told_and_keeps_whole_eights():
    left = iter([False] * 21 + [True] * 9)
    short = attack(Copier, outliers(), n_shadows=32, over=lambda: next(left))
    assert short.details["fits"] == 16
    assert short.details["fits_wanted"] == 32
    assert any("after 16 of 32" in note for note in short.notes)
    # What was done by then is what it would have been.
    whole = attack(Copier, outliers(), n_shadows=16)
    assert short.details["by_record"] == whole.details["by_record"]
    early = attack(Copier, outliers(), n_shadows=32, over=lambda: True)
    assert early.auc is None
    assert early.details["fits"] == 0


def test_delta_and_level_are_taken():
    result = attack(Copier, outliers(), n_shadows=32, delta=0.1, level=0.9)
    assert (result.delta, result.level) == (0.1, 0.9)
    exact = attack(Copier, outliers(), n_shadows=32)
    assert result.epsilon_lower > 0
    assert result.auc_interval[0] > exact.auc_interval[0]


def test_the_same_seed_gives_the_same_result():
    first, second, other = (
        shadow_attack(
            lambda seed: Copier(), mixed(2, seed=5), mixed(300), n_shadows=16, n_rows=60,
            n_synthetic=20, random_state=seed,
        ).to_dict()
        for seed in (1, 1, 2)
    )  # fmt: skip
    assert first == second
    assert first != other


def test_bad_input():
    with pytest.raises(InvalidDataError, match="the background has 20 rows"):
        shadow_attack(lambda seed: Copier(), outliers(), mixed(20), n_rows=30)
    with pytest.raises(InvalidDataError, match="only 5 rows to fit on"):
        shadow_attack(lambda seed: Copier(), outliers(5), mixed(20), n_rows=5)
    with pytest.raises(InvalidParameterError, match="n_shadows"):
        attack(Copier, outliers(), n_shadows=8)


def test_a_recipe_shares_nothing_with_its_model(tmp_path):
    from synthgen import DPMarginals, GANSynthesizer

    model = GANSynthesizer(
        max_steps=3,
        checkpoint_dir=str(tmp_path),
        warm_start=True,
        random_state=1,
        privacy=DPMarginals(2.0, ledger=str(tmp_path / "ledger.json")),
    )
    first, second = map(recipe_of(model), (5, 6))
    assert (first.random_state, second.random_state) == (5, 6)
    assert first.checkpoint_dir is None
    assert first.warm_start is False
    assert first.privacy.ledger is None
    assert (first.max_steps, first.privacy.epsilon) == (3, 2.0)
    # The model itself is left as it was.
    assert model.checkpoint_dir == str(tmp_path)
    assert model.privacy.ledger == str(tmp_path / "ledger.json")


def test_a_recipe_of_a_model_without_parameters_is_a_copy():
    model = Copier().fit(mixed(9))
    copy = recipe_of(model)(0)
    assert copy is not model
    copy.fit(mixed(4))
    assert len(model.frame) == 9
