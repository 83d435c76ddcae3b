"""Compare the results with the thresholds of config.json; exit 1 if one is missed or not measured.

python benchmarks/images/check.py [--data digits] [--present]
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.images.run import CONFIG, RESULTS
from benchmarks.quality import check


def main(arguments: list[str] | None = None) -> int:
    places = ["--config", str(CONFIG), "--results", str(RESULTS)]
    return check.main([*places, *(sys.argv[1:] if arguments is None else arguments)])


if __name__ == "__main__":
    sys.exit(main())
