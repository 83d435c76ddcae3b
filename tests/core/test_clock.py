"""Tests of the clock of a fit."""

from __future__ import annotations

import pytest

from synthgen.core import clock as module
from synthgen.core.clock import Clock


def test_what_is_left_of_a_share_falls_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(module.time, "perf_counter", lambda: now[0])
    clock = Clock(8.0)
    assert (clock.left(), clock.left(0.75)) == (8.0, 6.0)
    now[0] += 7.0
    assert (clock.left(), clock.left(0.75)) == (1.0, -1.0)
    now[0] += 1.0
    assert clock.left() == 0.0
