from __future__ import annotations

import logging

import pytest

from synthgen.models.image_announcer import Announcer


def test_the_time_is_foreseen_once(caplog: pytest.LogCaptureFixture) -> None:
    seen: list[int] = []
    announce = Announcer(lambda share, step, figures: seen.append(step), 1_000_000, 0.5)
    with caplog.at_level(logging.INFO):
        for step in range(5, 60):
            announce(0.0, step, {})
    assert seen == list(range(5, 60))
    (record,) = caplog.records
    assert "training takes about" in record.getMessage()
