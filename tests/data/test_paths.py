"""Tests of tables in files: what comes out of a CSV is what stands in it."""

import pandas as pd
import pytest

from synthgen.data.paths import read_path
from synthgen.errors import InvalidDataError


def written(tmp_path, text):
    path = tmp_path / "t.csv"
    path.write_text(text)
    return path


def test_a_comma_at_the_end_of_each_line_moves_nothing(tmp_path):
    frame = read_path(written(tmp_path, "age,height\n20,150,\n21,151,\n"))
    expected = pd.DataFrame({"age": [20, 21], "height": [150, 151]})
    pd.testing.assert_frame_equal(frame, expected)


@pytest.mark.parametrize("line", ["r1,20,150\n", "r1,x,20,150\n"])
def test_values_without_a_name_are_refused(tmp_path, line):
    with pytest.raises(InvalidDataError, match="a name in the first line"):
        read_path(written(tmp_path, "age,height\n" + line * 3))


def test_leading_zeros_are_kept(tmp_path):
    text = "zip,part,n,x,empty\n01000,,0,0.5,\n22000,007,10,-0.25,\n"
    frame = read_path(written(tmp_path, text))
    assert frame["zip"].tolist() == ["01000", "22000"]
    assert frame["part"].dropna().tolist() == ["007"]
    assert frame["n"].tolist() == [0, 10]
    assert frame["x"].tolist() == [0.5, -0.25]
    assert frame["empty"].isna().all()
    trailing = read_path(written(tmp_path, "zip,n\n01000,1,\n22000,2,\n"))
    assert trailing.to_dict("list") == {"zip": ["01000", "22000"], "n": [1, 2]}


def test_names_that_stand_twice_keep_their_own_values(tmp_path):
    frame = read_path(written(tmp_path, "a,a\n1,007\n2,008\n"))
    assert frame.iloc[:, 0].tolist() == [1, 2]
    assert frame.iloc[:, 1].tolist() == ["007", "008"]
