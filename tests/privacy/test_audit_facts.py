import numpy as np
import pandas as pd
import pytest

from synthgen.privacy.audit_facts import checksum

TABLE = pd.DataFrame(
    {
        "n": [1, 2, 3],
        "x": [0.1, np.nan, -0.0],
        "t": ["a", None, "1"],
        "b": [True, False, True],
        "d": pd.to_datetime(["2020-01-01", None, "2021-05-06"]),
    }
)

SAME = {
    "rows in another order": lambda: TABLE[::-1],
    "columns in another order": lambda: TABLE[["d", "b", "t", "x", "n"]],
    "another index": lambda: TABLE.set_axis([7, 7, 7]),
    "numbers of another type": lambda: TABLE.astype({"n": "Int64", "x": "Float64"}),
    "the other zero": lambda: TABLE.assign(x=[0.1, np.nan, 0.0]),
    "categories": lambda: TABLE.astype({"t": "category"}),
    "strings": lambda: TABLE.astype({"t": "string", "b": "boolean"}),
}


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_what_does_not_change_a_checksum(change):
    assert checksum(change()) == checksum(TABLE)


OTHER = {
    "a number": lambda: TABLE.assign(x=[0.1, np.nan, 1e-12]),
    "a missing number": lambda: TABLE.assign(x=[0.1, 0.0, 0.0]),
    "a text": lambda: TABLE.assign(t=["a", None, "2"]),
    "a missing text": lambda: TABLE.assign(t=["a", "None", "1"]),
    "a date": lambda: TABLE.assign(d=pd.to_datetime(["2020-01-02", None, "2021-05-06"])),
    "values of another row": lambda: TABLE.assign(n=[2, 1, 3]),
    "a name": lambda: TABLE.rename(columns={"n": "m"}),
    "swapped names": lambda: TABLE.rename(columns={"n": "x", "x": "n"}),
    "a row less": lambda: TABLE[:2],
    "a row twice": lambda: pd.concat([TABLE, TABLE[:1]]),
    "a column less": lambda: TABLE.drop(columns="b"),
}


@pytest.mark.parametrize("change", OTHER.values(), ids=OTHER)
def test_what_changes_a_checksum(change):
    assert checksum(change()) != checksum(TABLE)


def test_a_table_that_went_to_the_disk_has_the_same_checksum(tmp_path):
    table = pd.DataFrame(
        {"x": np.random.default_rng(0).normal(size=50).round(4), "t": ["a b"] * 50}
    )
    table.to_csv(tmp_path / "t.csv", index=False)
    assert checksum(pd.read_csv(tmp_path / "t.csv")) == checksum(table)
