import numpy as np
import pandas as pd
import pytest

from synthgen import Schema
from synthgen.errors import InvalidDataError, SchemaMismatchError
from synthgen.measure.columns import column_roles
from synthgen.measure.space import Rows
from synthgen.privacy import attacks
from synthgen.privacy.attacks import splits as module
from synthgen.privacy.attacks.arena import encode
from synthgen.privacy.attacks.membership import prepare
from synthgen.privacy.attacks.vulnerable import select
from tests.privacy.attacks.toys import mixed


def test_half_of_the_holdout_becomes_the_reference():
    frame = mixed(300)
    own = attacks.split(frame, frame[:100], frame[100:])
    assert len(own.reference) == len(own.holdout) == 100
    assert not set(own.reference["id"]) & set(own.holdout["id"])
    assert any("half of the holdout" in note for note in own.notes)
    assert own.sizes["members"] == {"given": 100, "used": 100}


def test_a_given_reference_is_used():
    frame = mixed(300)
    own = attacks.split(frame, frame[:100], frame[100:200], frame[200:])
    assert set(own.reference["id"]) == set(frame["id"][200:])
    assert len(own.holdout) == 100


def test_large_tables_are_cut_and_it_is_said(monkeypatch):
    monkeypatch.setattr(module, "MAX_POOL", 50)
    monkeypatch.setattr(module, "MAX_SYNTHETIC_CELLS", 400)
    frame = mixed(300)
    own = attacks.split(frame, frame[:100], frame[100:])
    assert len(own.members) == 50
    assert len(own.synthetic) == 100
    assert any("probability 0.33" in note for note in own.notes)


def test_bad_tables_are_refused():
    frame = mixed(40)
    with pytest.raises(InvalidDataError, match="8 rows of holdout, got 5"):
        attacks.split(frame, frame, frame[:10])
    with pytest.raises(SchemaMismatchError):
        attacks.split(frame.drop(columns="x"), frame, frame)


def test_what_only_members_have_is_unseen_and_moves_no_scale():
    made, real = (
        pd.DataFrame({"c": ["a", "b"], "x": [0.0, 1.0]}),
        pd.DataFrame({"c": ["b", "b"], "x": [0.0, 2.0]}),
    )
    inside = pd.DataFrame({"c": ["z", "q", "a"], "x": [1e9, 0.0, 0.0]})
    roles = column_roles(real)
    encoded, scale = encode(made, real, [inside], roles, np.random.default_rng(0))
    assert encoded.n_levels == [3, 0]
    codes = encoded.arrays[2][:, 0]
    assert codes[0] == codes[1] == 2
    assert codes[2] == encoded.arrays[0][0, 0]
    assert scale[:, 1].max() == 2.0


def test_the_most_isolated_rows_are_chosen_by_one_threshold():
    def rows(values):
        values = np.asarray(values, dtype=float)[:, None]
        return Rows(values, np.empty((0, len(values)), dtype=np.int32), [])

    reference = rows(np.linspace(0, 1, 50))
    chosen = select(rows([0.5, 9.0, 0.4, 7.0]), rows([*np.linspace(0, 1, 99), 5.0]), reference)
    assert chosen.share == 0.1
    assert {1, 3} <= set(chosen.members)
    assert 99 in chosen.holdout
    assert 0 not in chosen.members


def test_labels_never_reach_the_arena():
    frame = mixed(400)
    ready = prepare(attacks.split(frame[:200], frame[:200], frame[200:]), seed=0)
    names = {population.name for population in ready.populations}
    assert names == {"random", "vulnerable"}
    assert not any("member" in name for name in vars(ready.arena))
    for population in ready.populations:
        frames = ready.arena.target_frame.iloc[population.rows]
        inside = frames["id"].isin(set(frame["id"][:200]))
        np.testing.assert_array_equal(inside, population.member)


def test_run_attack_finds_a_copy_and_respects_a_schema():
    frame = mixed(600)
    schema = Schema.infer(frame)
    leak = attacks.split(frame[:300], frame[:300], frame[300:], schema=schema)
    results = attacks.run_attack(attacks.Nearest(), leak)
    assert results[0].population == "random"
    assert results[0].auc > 0.99
    assert results[0].n_reference == 150
    skipped = attacks.run_attack(attacks.Likelihood(), leak)
    assert skipped[0].auc is None
    assert "no model" in skipped[0].notes[0]
