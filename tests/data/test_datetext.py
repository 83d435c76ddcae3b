from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthgen.data.datetext import format_text, guess_format, parse_text


@pytest.mark.parametrize(
    ("moment", "form"),
    [
        ("22SEP2020", "%d%^b%Y"),
        ("01 jan 2020", "%d %#b %Y"),
        ("03 Mar 2020", "%d %b %Y"),
        ("2020-05-06 12:00 am", "%Y-%m-%d %I:%M %#p"),
    ],
)
def test_words_keep_their_case(moment: str, form: str) -> None:
    moments = pd.date_range("2020-01-01 00:30", periods=400, freq="13h")
    texts = np.unique(np.array(format_text(moments.to_numpy(), form), dtype=object))
    found = guess_format(texts)
    assert found == form
    assert set(format_text(parse_text(texts, found), found)) == set(texts)
    assert not np.isnat(parse_text(np.array([moment], dtype=object), found)).any()
