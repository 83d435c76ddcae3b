from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from synthgen.errors import (
    ArtifactError,
    ConditionError,
    DataWarning,
    InvalidDataError,
    InvalidParameterError,
    ResourceError,
    TrainingWarning,
)
from synthgen.models import image_training
from synthgen.models.image import ImageGANSynthesizer
from synthgen.models.image_health import diagnose
from synthgen.models.registry import load_synthesizer
from synthgen.train.terms import TermSpec
from tests.train.image_tasks import SMALL, digits

NAMES = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
#: Few steps train nothing; what the guards say about that is not the point here.
pytestmark = pytest.mark.filterwarnings("ignore::synthgen.errors.TrainingWarning")


def fitted(**options: Any) -> ImageGANSynthesizer:
    X, y = digits()
    options = {"preset": SMALL, "random_state": 0, **options}
    return ImageGANSynthesizer(**options).fit(X, NAMES[y])


@pytest.fixture(scope="module")
def model() -> ImageGANSynthesizer:
    return fitted()


@pytest.fixture(scope="module")
def styled() -> ImageGANSynthesizer:
    recipe = SMALL.replace(architecture="style2", spectral="none", terms=(TermSpec("r1"),))
    return fitted(preset=recipe)


def test_the_constructor_only_assigns() -> None:
    model = ImageGANSynthesizer(max_minutes="long", preset=3)  # type: ignore[arg-type] # on purpose
    assert model.get_params()["preset"] == 3
    copy = clone(ImageGANSynthesizer(preset=SMALL, max_steps=3))
    assert copy.get_params()["preset"] == SMALL


def test_what_fit_leaves_behind(model: ImageGANSynthesizer) -> None:
    assert model.n_steps_ == SMALL.steps
    assert model.stopped_by_ == "steps"
    assert model.classes_ == [sorted(NAMES.tolist())]
    assert {"step", "seconds", "distance", "diversity"} <= set(model.history_.columns)
    assert model.grids_.shape == (len(model.history_), 16, 8, 8)
    assert model.preset == SMALL


def test_samples_look_like_the_training_images(model: ImageGANSynthesizer) -> None:
    images, labels = model.sample(9, random_state=0, return_labels=True)
    assert images.shape == (9, 8, 8)
    assert images.dtype == np.float64
    assert images.min() >= 0
    assert images.max() <= 16
    assert set(labels) <= set(NAMES)
    assert labels.dtype == NAMES.dtype


def test_samples_are_the_head_of_more(model: ImageGANSynthesizer) -> None:
    many = model.sample(300, random_state=5)
    assert np.array_equal(model.sample(7, random_state=5), many[:7])
    assert np.array_equal(model.sample(200, random_state=5), many[:200])
    assert not np.array_equal(model.sample(7, random_state=6), many[:7])
    assert model.sample(0).shape == (0, 8, 8)
    assert not np.array_equal(model.sample(3), model.sample(3))


def test_labels_choose_the_class(model: ImageGANSynthesizer) -> None:
    wanted = ["two", "nine", "two"]
    images, labels = model.sample(y=wanted, random_state=0, return_labels=True)
    assert labels.tolist() == wanted
    one = model.sample(3, y="two", random_state=0)
    assert np.array_equal(one[[0, 2]], images[[0, 2]])
    assert not np.array_equal(one[1], images[1])
    with pytest.raises(ConditionError, match="Unknown label 'ten'"):
        model.sample(1, y="ten")
    with pytest.raises(ConditionError, match="2 labels for 3 images"):
        model.sample(3, y=["one", "two"])
    with pytest.raises(InvalidParameterError, match="n is missing"):
        model.sample(y="two")
    with pytest.raises(InvalidParameterError, match="n is missing"):
        model.sample()


def test_truncation_and_sigma(model: ImageGANSynthesizer, styled: ImageGANSynthesizer) -> None:
    for synth in (model, styled):
        plain = synth.sample(100, y="one", random_state=0)
        tight = synth.sample(100, y="one", random_state=0, truncation=0.1)
        assert tight.std(0).mean() < 0.7 * plain.std(0).mean()
    wide = model.sample(100, y="one", sigma=2.0, random_state=0)
    assert not np.array_equal(wide, model.sample(100, y="one", random_state=0))
    with pytest.raises(InvalidParameterError, match="truncation"):
        model.sample(1, truncation=0.0)


def test_the_critic_rejects(model: ImageGANSynthesizer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of four candidates per place, the one wins that the critic likes best by far."""

    def brightness(images: Any, codes: Any) -> Any:
        return 1e4 * images.mean((1, 2, 3))

    monkeypatch.setattr(model.sampler_, "scores", brightness)
    plain = model.sample(200, y="one", random_state=0)
    chosen = model.sample(200, y="one", random_state=0, reject="critic")
    bright = chosen.mean((1, 2)) > plain.mean((1, 2))
    assert bright.mean() > 0.6
    assert (chosen.mean((1, 2)) >= plain.mean((1, 2))).all()
    with pytest.raises(InvalidParameterError, match="reject must be"):
        model.sample(1, reject="all")
    wasserstein = SMALL.replace(objective="wasserstein", spectral="critic")
    with pytest.raises(InvalidParameterError, match="log-ratios"):
        fitted(preset=wasserstein).sample(1, reject="critic")


def test_a_classifier_rejects(model: ImageGANSynthesizer) -> None:
    X, y = digits()
    flat = FunctionTransformer(lambda images: images.reshape(len(images), -1) / 16)
    judge = make_pipeline(flat, LogisticRegression(max_iter=1_000)).fit(X, NAMES[y])
    column = list(judge.classes_).index("one")

    def belief(images: np.ndarray) -> float:
        return float(np.log(judge.predict_proba(images)[:, column]).mean())

    plain = model.sample(200, y="one", random_state=0)
    assert belief(model.sample(200, y="one", random_state=0, reject=judge)) > belief(plain)


def test_a_model_is_evaluated(model: ImageGANSynthesizer) -> None:
    X, y = digits()
    report = model.evaluate(X, NAMES[y], extractor="pixels")
    assert report.sizes["synthetic"] == len(X)
    assert {"classifier_accuracy", "FD[pixels]", "memorised"} <= set(report.table()["score"])


def test_a_saved_model_makes_the_same_images(model: ImageGANSynthesizer, tmp_path: Path) -> None:
    model.save(tmp_path / "model")
    for back in (
        ImageGANSynthesizer.load(tmp_path / "model"),
        load_synthesizer(tmp_path / "model"),
    ):
        expected = model.sample(5, random_state=1)
        assert np.array_equal(back.sample(5, random_state=1), expected)
        assert back.recipe_ == model.recipe_
        assert back.get_params() == model.get_params()
        assert np.array_equal(back.grids_, model.grids_)
        X, y = digits(20)
        scores = model.score_samples(X, NAMES[y])
        np.testing.assert_array_equal(back.score_samples(X, NAMES[y]), scores)
    (tmp_path / "model" / "weights.safetensors").write_bytes(b"x")
    with pytest.raises(ArtifactError, match="damaged"):
        ImageGANSynthesizer.load(tmp_path / "model")


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_in_memory(model: ImageGANSynthesizer, duplicate: Any) -> None:
    other = duplicate(model)
    assert np.array_equal(other.sample(5, random_state=1), model.sample(5, random_state=1))
    assert other.get_params() == model.get_params()


def test_scikit_learn_knows_what_it_is(model: ImageGANSynthesizer) -> None:
    tags = model.__sklearn_tags__()
    assert tags.input_tags.three_d_array
    assert not tags.input_tags.two_d_array


def test_a_fit_repeats_and_resumes(tmp_path: Path) -> None:
    place = str(tmp_path / "run")
    first, second = fitted(), fitted(checkpoint_dir=place)
    again = fitted(checkpoint_dir=place)
    for other in (second, again):
        assert np.array_equal(other.sample(4, random_state=0), first.sample(4, random_state=0))
    with pytest.raises(ArtifactError, match="another run: seed"):
        fitted(checkpoint_dir=place, random_state=1)


@pytest.mark.parametrize(
    ("shape", "layout"),
    [((40, 9, 14), "NHW"), ((40, 12, 8, 3), "NHWC"), ((40, 5, 8, 17), "NCHW")],
)
def test_shapes_without_labels(shape: tuple[int, ...], layout: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    model = ImageGANSynthesizer(preset=SMALL.replace(steps=2), random_state=0).fit(images)
    out = model.sample(3, random_state=0)
    assert out.shape == (3, *shape[1:])
    assert out.dtype == np.uint8
    assert model.spec_.layout == layout
    with pytest.raises(ConditionError, match="knows no labels"):
        model.sample(1, y=0)
    with pytest.raises(InvalidParameterError, match="no labels to return"):
        model.sample(1, return_labels=True)


def test_several_attributes() -> None:
    X, y = digits()
    attributes = [(int(label), "even" if label % 2 == 0 else "odd") for label in y]
    model = ImageGANSynthesizer(preset=SMALL, random_state=0).fit(X, attributes)
    images, labels = model.sample(4, y=(3, "odd"), return_labels=True, random_state=0)
    assert images.shape == (4, 8, 8)
    assert labels.tolist() == [[3, "odd"]] * 4
    _, drawn = model.sample(50, return_labels=True, random_state=0)
    assert all((digit % 2 == 0) == (parity == "even") for digit, parity in drawn)


def test_labels_that_are_not_used_or_missing() -> None:
    X, y = digits()
    with pytest.warns(DataWarning, match="makes no use of labels"):
        ImageGANSynthesizer(preset=SMALL.replace(condition="none", steps=1)).fit(X, y)
    with pytest.raises(InvalidDataError, match="about labels"):
        ImageGANSynthesizer(preset="acgan").fit(X)


def test_codes_of_infogan() -> None:
    recipe = SMALL.replace(condition="none", by_norm=False, terms=(TermSpec("mutual_information"),))
    X, _ = digits()
    model = ImageGANSynthesizer(preset=recipe, random_state=0).fit(X)
    assert "mutual_information" in model.history_
    codes = np.zeros((2, 12))
    codes[:, 0] = 1
    first = model.sample(2, codes=codes, random_state=0)
    codes[:, 11] = 1
    assert not np.array_equal(model.sample(2, codes=codes, random_state=0), first)
    with pytest.raises(ConditionError, match=r"\(n, 12\)"):
        model.sample(2, codes=codes[:, :3])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"preset": "magic"}, "preset must be one of"),
        ({"max_minutes": 0}, "max_minutes"),
        ({"max_steps": 0}, "max_steps"),
        ({"batch_size": 1}, "batch_size"),
        ({"augment": 3}, "augment"),
        ({"augment": "flip"}, "flip"),
        ({"layout": "HW"}, "layout"),
        ({"value_range": (1, 0)}, "value_range"),
        ({"precision": "float8"}, "precision"),
        ({"device": "abacus"}, "device"),
        ({"checkpoint_dir": 3}, "checkpoint_dir"),
    ],
)
def test_bad_parameters_are_named(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidParameterError, match=words):
        fitted(**options)


def test_before_fit() -> None:
    for call in ("sample", "latents", "score_samples"):
        with pytest.raises(NotFittedError):
            getattr(ImageGANSynthesizer(), call)(1)


def test_memory_is_checked_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthgen.models.image_memory.available_memory", lambda: 1_000)
    with pytest.raises(ResourceError, match="smaller batch_size"):
        fitted()


def test_a_collapsed_generator_is_reported() -> None:
    history = pd.DataFrame({"diversity": [1.0, 0.1], "critic_real": 1.0, "critic_fake": -1.0})
    (words,) = diagnose(history, SMALL)
    assert "mode collapse" in words
    assert "augment=" in words
    history = pd.DataFrame({"diversity": [1.0], "critic_real": 20.0, "critic_fake": -20.0})
    (words,) = diagnose(history, SMALL.replace(spectral="none"))
    assert "no direction" in words
    assert "spectral norm" in words
    assert diagnose(history, SMALL.replace(objective="wasserstein")) == []
    assert diagnose(pd.DataFrame(), SMALL) == []


def test_fit_warns_of_a_collapse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthgen.models.image.diagnose", lambda history, recipe: ["it failed"])
    with pytest.warns(TrainingWarning, match="'small': it failed"):
        fitted()


def test_training_goes_on(model: ImageGANSynthesizer) -> None:
    X, y = digits()
    other = fitted()
    before = {k: v.clone() for k, v in other.sampler_.critic.trunk.state_dict().items()}
    other.set_params(max_steps=3).partial_fit(X[:50], NAMES[y[:50]])
    assert other.n_steps_ == 3
    assert len(other.history_) == 3
    assert other.classes_ == model.classes_
    assert not np.array_equal(other.sample(3, random_state=0), model.sample(3, random_state=0))
    after = other.sampler_.critic.trunk.state_dict()
    assert any(not torch.equal(before[k], after[k]) for k in before)
    assert ImageGANSynthesizer(preset=SMALL).partial_fit(X, y).n_steps_ == SMALL.steps


def test_frozen_critics_stay() -> None:
    X, y = digits()
    model = fitted()
    name = "layers.0.parametrizations.weight.original"
    before = model.sampler_.critic.trunk.state_dict()[name].clone()
    model.fine_tune(X[:60], NAMES[y[:60]], strategy="freeze_d")
    assert torch.equal(model.sampler_.critic.trunk.state_dict()[name], before)


def test_scale_and_shift_only() -> None:
    X, y = digits()
    model = fitted()
    before = {k: v.clone() for k, v in model.sampler_.generator.state_dict().items()}
    model.fine_tune(X[:60], NAMES[y[:60]], strategy="scale_shift")
    after = model.sampler_.generator.state_dict()
    changed = {k for k in before if not torch.equal(before[k], after[k])}
    assert changed
    assert all("norm" in k for k in changed)
    with pytest.raises(InvalidParameterError, match="strategy"):
        model.fine_tune(X, NAMES[y], strategy="half")
    with pytest.raises(InvalidDataError, match="pass y too"):
        model.fine_tune(X)
    with pytest.raises(InvalidDataError, match="fitted to"):
        model.fine_tune(np.random.default_rng(0).random((40, 9, 9)), NAMES[y[:40]])


def test_ways_between_images(model: ImageGANSynthesizer, styled: ImageGANSynthesizer) -> None:
    a, b = model.latents(2, random_state=0)
    way = model.interpolate(a, b, steps=5, y="one")
    ends = model.decode([a, b], y=["one", "one"])
    assert way.shape == (5, 8, 8)
    np.testing.assert_allclose(way[[0, 4]], ends, atol=1e-3)
    straight = model.interpolate(a, b, steps=5, y="one", mode="linear")
    assert not np.allclose(straight[2], way[2])
    with pytest.raises(InvalidParameterError, match="style-based"):
        model.interpolate(a, b, y="one", space="w")
    assert styled.interpolate(a, b, steps=3, y="one", space="w").shape == (3, 8, 8)
    with pytest.raises(InvalidParameterError, match="say which in y"):
        model.decode([a])
    with pytest.raises(InvalidParameterError, match="length 8"):
        model.decode(a[:3], y="one")


def test_arithmetic_of_latents(model: ImageGANSynthesizer) -> None:
    a, b, c = model.latents(3, random_state=0)
    image = model.latent_arithmetic([a, b], [c], y="one")
    assert image.shape == (1, 8, 8)
    total = a + b - c
    expected = model.decode([total * np.sqrt(8) / np.linalg.norm(total)], y="one")
    np.testing.assert_allclose(image, expected, atol=1e-3)


def test_styles_are_mixed(styled: ImageGANSynthesizer, model: ImageGANSynthesizer) -> None:
    a, b = styled.latents(2, random_state=0), styled.latents(2, random_state=1)
    none = styled.style_mix(a, b, [], y="one")
    np.testing.assert_allclose(none, styled.decode(a, y="one"), atol=1e-3)
    every = styled.style_mix(a, b, range(4), y="one")
    np.testing.assert_allclose(every, styled.decode(b, y="one"), atol=1e-3)
    half = styled.style_mix(a, b, [2, 3], y="one")
    assert not np.allclose(half, none)
    assert not np.allclose(half, every)
    with pytest.raises(InvalidParameterError, match="style-based"):
        model.style_mix(a, b, [0], y="one")
    with pytest.raises(InvalidParameterError, match="4 layers"):
        styled.style_mix(a, b, [4], y="one")


def test_inversion_finds_images_of_the_model(model: ImageGANSynthesizer) -> None:
    z = model.latents(3, random_state=3)
    images = model.decode(z, y="one")
    start = model.decode(model.latents(3, random_state=0), y="one")
    found = model.decode(model.invert(images, y="one", steps=80), y="one")
    assert np.abs(found - images).mean() < 0.5 * np.abs(start - images).mean()


def test_a_model_saved_without_its_critic_samples_and_scores_nothing(tmp_path: Path) -> None:
    X, y = digits()
    model = fitted()
    model.save(tmp_path / "whole")
    model.save(tmp_path / "bare", critic=False)
    bare = load_synthesizer(tmp_path / "bare")
    np.testing.assert_array_equal(bare.sample(6, random_state=0), model.sample(6, random_state=0))
    np.testing.assert_array_equal(
        copy.deepcopy(bare).sample(3, random_state=0), bare.sample(3, random_state=0)
    )
    sizes = [
        sum(file.stat().st_size for file in (tmp_path / name).iterdir())
        for name in ("whole", "bare")
    ]
    assert sizes[1] < 0.8 * sizes[0]
    for ask in (
        lambda: bare.score_samples(X[:3], NAMES[y[:3]]),
        lambda: bare.sample(3, reject="critic"),
        lambda: bare.fine_tune(X, NAMES[y]),
    ):
        with pytest.raises(InvalidParameterError, match="has no critic"):
            ask()
    bare.save(tmp_path / "again")
    assert not load_synthesizer(tmp_path / "again").sampler_.has_critic
    with pytest.raises(InvalidParameterError, match="critic must be"):
        model.save(tmp_path / "no", critic="yes")


def test_every_call_goes_on_with_other_images() -> None:
    """With the same seed, calls of two steps would see the same images again and again."""
    X, y = digits()
    model = fitted().set_params(max_steps=2)
    seeds = []
    original = image_training.Trainer

    def noted(*args: Any, seed: int, **options: Any) -> Any:
        seeds.append(seed)
        return original(*args, seed=seed, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(image_training, "Trainer", noted)
        for _ in range(3):
            model.partial_fit(X, NAMES[y])
        again = fitted().set_params(max_steps=2).partial_fit(X, NAMES[y])
    assert len(set(seeds[:3])) == 3
    # After its own fit, the same model goes on in the same way.
    assert seeds[3:] == [0, seeds[0]]
    assert again.n_steps_ == 2


def test_a_warm_start_is_not_taken_for_the_training_before_it(tmp_path: Path) -> None:
    X, y = digits()
    model = fitted(checkpoint_dir=tmp_path / "first", warm_start=True)
    with pytest.raises(ArtifactError, match="of another run"):
        model.fit(X, NAMES[y])
    before = {k: v.clone() for k, v in model.sampler_.generator.state_dict().items()}
    model.set_params(checkpoint_dir=tmp_path / "second").fit(X, NAMES[y])
    after = model.sampler_.generator.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert len(model.grids_) == len(model.history_)


def test_a_warm_start_needs_the_same_labels() -> None:
    X, y = digits()
    model = fitted(warm_start=True)
    others = np.array([name.upper() for name in NAMES])
    with pytest.raises(InvalidDataError, match="warm_start needs the labels of the previous fit"):
        model.fit(X, others[y])
