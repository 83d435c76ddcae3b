"""Rules about what may import, print or store what; each is checked on the real source."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import synthgen

ROOT = Path(synthgen.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
HEAVY = ("torch", "opacus", "sklearn", "sklearn.ensemble", "lightgbm", "matplotlib", "pandas")
COMMANDS = ("demo", "fit", "sample", "evaluate", "audit", "report", "info", "schema", "presets")


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def imported_names(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def importers_of(*packages: str) -> set[str]:
    return {
        relative(path)
        for path in FILES
        if any(name.split(".")[0] in packages for name in imported_names(parse(path)))
    }


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def modules_after(code: str) -> set[str]:
    """Run `code` in a fresh interpreter and return the heavy modules that it loaded."""
    # __import__, so that the name `sys` of the code itself stays untouched.
    report = f"\nprint(*[m for m in {HEAVY!r} if m in __import__('sys').modules])"
    result = subprocess.run(
        [sys.executable, "-c", code + report],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT.parent,
    )
    return set(result.stdout.splitlines()[-1].split())


def test_import_is_light() -> None:
    assert modules_after("import synthgen") == set()


def test_the_probe_for_heavy_modules_sees_them() -> None:
    assert "pandas" in modules_after("import pandas")


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_is_light(command: str) -> None:
    arguments = [word for word in (command, "--help") if word]
    code = (
        "from synthgen.cli import app\n"
        f"try:\n    app({arguments!r}, prog_name='synthgen')\n"
        "except SystemExit as end:\n    assert end.code == 0, end.code"
    )
    assert modules_after(code) == set()


def test_every_public_name_exists() -> None:
    for name in synthgen.__all__:
        assert getattr(synthgen, name) is not None
    assert set(synthgen.__all__) <= set(dir(synthgen))


def test_public_names_agree_with_their_table() -> None:
    assert {*synthgen._PUBLIC, "__version__"} == set(synthgen.__all__)
    for module, _ in synthgen._PUBLIC.values():
        importlib.import_module(module)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = synthgen.nothing


def test_nothing_is_pickled() -> None:
    assert importers_of("pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve") == set()


def test_opacus_lives_in_one_file() -> None:
    assert importers_of("opacus") <= {"train/dp.py"}


def test_upper_packages_do_not_reach_below_the_models() -> None:
    inner = tuple(f"synthgen.{name}" for name in ("encode", "nn", "train", "sample"))
    upper = ("privacy", "evaluate", "augment", "anomaly", "cli")
    guilty = {
        relative(path)
        for path in FILES
        if relative(path).split("/")[0].removesuffix(".py") in upper
        and any(name.startswith(inner) for name in imported_names(parse(path)))
    }
    assert guilty == set()


def test_nothing_prints() -> None:
    guilty = {
        f"{relative(path)}:{node.lineno}"
        for path in FILES
        for node in ast.walk(parse(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("print", "pprint")
    }
    assert guilty == set()


def test_global_random_state_is_left_alone() -> None:
    """The functions that seed or draw from a process-wide generator are not called."""
    guilty = set()
    for path in FILES:
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                called = ast.unparse(node.func)
                if called in ("np.random.seed", "random.seed", "torch.manual_seed"):
                    guilty.add(f"{relative(path)}:{node.lineno} {called}")
    assert guilty == set()


def test_every_package_has_an_init_file() -> None:
    folders = {path.parent for path in FILES}
    assert {folder for folder in folders if not (folder / "__init__.py").exists()} == set()


def test_type_information_is_shipped() -> None:
    assert (ROOT / "py.typed").exists()
