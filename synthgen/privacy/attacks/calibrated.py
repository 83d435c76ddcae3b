"""Membership by calibrated distance: nearer to synthetic rows than to fresh real ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from synthgen.privacy.attacks.arena import Arena

#: Keeps the ratio finite where a row is equal to the target; far below any difference of values.
_TINY: Final = 1e-6


@dataclass(frozen=True)
class Calibrated:
    """Score a row by the distance to reference rows against the distance to synthetic rows.

    References
    ----------
    Chen, Yu, Zhang & Fritz (2020), GAN-Leaks, arXiv:1909.03935: attack calibration.
    """

    name: ClassVar[str] = "calibrated"
    threat_model: ClassVar[str] = "synthetic rows and other real rows"

    def scores(self, arena: Arena) -> dict[str, NDArray[np.float64]]:
        """Return the difference and the logarithm of the ratio of the two distances.

        The ratio is also taken with numbers divided by their full range.
        """
        made, real = arena.near_synthetic.distances[:, 0], arena.near_reference.distances[:, 0]
        ranged = arena.ranged_synthetic.distances[:, 0], arena.ranged_reference.distances[:, 0]
        return {
            "difference": real - made,
            "ratio": np.log((real + _TINY) / (made + _TINY)),
            "ratio by range": np.log((ranged[1] + _TINY) / (ranged[0] + _TINY)),
        }
