"""The terms of a recipe, sorted by where in a step they act."""

from __future__ import annotations

from typing import Any

from synthgen.train.terms import WeightClipping


class Sides:
    """Terms by side.

    Parameters
    ----------
    terms : list of terms
    """

    def __init__(self, terms: list[Any]) -> None:
        def of(*sides: str) -> list[Any]:
            return [term for term in terms if term.side in sides]

        self.generator = of("generator")
        self.clipping = [term for term in terms if isinstance(term, WeightClipping)]
        self.critic = [term for term in of("critic", "both") if term not in self.clipping]
        self.through = of("through", "both")
        self.scores = of("scores")
        self.inputs = of("input")
        self.selection = of("selection")
        self.paths = of("path")
        self.ahead = next(iter(of("ahead")), None)

    @property
    def leave_the_pass_alone(self) -> bool:
        """Whether the generator's gradient at a fake record depends on the objective only."""
        return (
            not self.through
            and self.ahead is None
            and not any(term.touches_fake for term in self.scores)
        )

    @property
    def need_real(self) -> bool:
        """Whether the generator's own pass needs real records."""
        return self.ahead is not None or any(term.needs_real for term in self.through)
