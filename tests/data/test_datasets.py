import pytest

from synthgen.data.datasets import load_adult, load_frame
from synthgen.errors import InvalidParameterError


def test_adult():
    train, test, both = (load_adult(split) for split in ("train", "test", "all"))
    assert (train.shape, test.shape) == ((32_561, 15), (16_281, 15))
    assert len(both) == 48_842
    assert both["income"].value_counts(normalize=True)[">50K"] == pytest.approx(0.2393, abs=1e-4)
    assert not both.isna().any(axis=None)
    assert (both["workclass"] == "?").sum() == 2_799


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("iris", (150, 5)),
        ("wine", (178, 14)),
        ("breast_cancer", (569, 31)),
        ("diabetes", (442, 11)),
        ("digits", (1_797, 65)),
    ],
)
def test_frames(name, shape):
    frame = load_frame(name)
    assert frame.shape == shape
    assert frame.columns[-1] == "target"


def test_targets_are_readable():
    assert set(load_frame("iris")["target"]) == {"setosa", "versicolor", "virginica"}


def test_unknown_names_are_refused():
    with pytest.raises(InvalidParameterError, match="split"):
        load_adult("valid")
    with pytest.raises(InvalidParameterError, match="name"):
        load_frame("titanic")
