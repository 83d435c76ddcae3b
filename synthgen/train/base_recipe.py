"""What every recipe has: a game, its terms, and how fast and how long to play."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from synthgen.core.params import check_choice, check_integer, check_real
from synthgen.errors import RecipeError
from synthgen.train.objective import OBJECTIVES
from synthgen.train.terms import TERMS, TermSpec


@dataclass(frozen=True)
class BaseRecipe:
    """Game, terms and schedule of one GAN; what the data are like, subclasses say.

    Parameters
    ----------
    name : str
        For messages and saved models.
    objective : str
        Key of :data:`~synthgen.train.objective.OBJECTIVES`.
    terms : tuple of TermSpec
        Parts of the loss beside the objective.
    critic_steps : int
        Critic steps per generator step.
    batch_size : int
        Records per step.
    accumulate : int
        Parts that a batch is worked through in, with one update for all: the result of the whole
        batch with the memory of a part, in about the same time unless parts are tiny. What compares
        the records of a batch is refused, but for batch norm in the generator (and in the decoder
        of "reconstruction"), which takes the statistics of each part.
    steps : int
        Generator steps.
    warmup : float
        Share of training before the critic joins, in [0, 1]; needs a term for the generator.
    decay_from, final_rate : float
        The learning rates fall linearly from this share of training on, to this factor at the end.
    generator_rate, critic_rate : float
        Learning rates.
    generator_betas, critic_betas : tuple of float
        Adam's decay rates.
    ema : float
        Decay per step of the generator's weight average, which is what is sampled; in [0, 1).
    """

    name: str
    objective: str = "relativistic"
    terms: tuple[TermSpec, ...] = ()
    critic_steps: int = 1
    batch_size: int = 512
    accumulate: int = 1
    steps: int = 4_000
    warmup: float = 0.0
    decay_from: float = 0.2
    final_rate: float = 0.02
    generator_rate: float = 1e-3
    critic_rate: float = 1e-3
    generator_betas: tuple[float, float] = (0.5, 0.99)
    critic_betas: tuple[float, float] = (0.0, 0.99)
    ema: float = 0.998

    @property
    def optimiser(self) -> str:
        """Which optimiser both players use: "adam" or "rmsprop"."""
        return "adam"

    def offers(self) -> set[str]:
        """Return what terms may need or refuse to go with, beside the names of other terms."""
        return {self.objective} | ({"accumulate"} if self.accumulate > 1 else set())

    @property
    def part_size(self) -> int:
        """Records that are worked through at a time."""
        return self.batch_size // self.accumulate

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some fields changed.

        Raises
        ------
        RecipeError
            If a field does not exist.
        """
        known = {entry.name for entry in fields(self)}
        unknown = sorted(set(changes) - known)
        if unknown:
            raise RecipeError(f"A recipe has no field {unknown[0]!r}; its fields are {known}.")
        return replace(self, **changes)

    def check(self) -> Self:
        """Check that the parts exist and go together.

        Returns
        -------
        BaseRecipe
            This one.

        Raises
        ------
        RecipeError
            Naming the part that does not fit, and why.
        """
        check_choice("objective", self.objective, OBJECTIVES)
        for name in ("critic_steps", "batch_size", "accumulate"):
            check_integer(name, getattr(self, name), minimum=1)
        if self.batch_size % self.accumulate:
            raise RecipeError(
                f"Recipe {self.name!r}: a batch_size of {self.batch_size} cannot be cut into "
                f"{self.accumulate} parts (accumulate) of the same size."
            )
        check_integer("steps", self.steps, minimum=0)
        for name in ("warmup", "decay_from", "final_rate"):
            check_real(name, getattr(self, name), low=0.0, high=1.0)
        check_real("ema", self.ema, low=0.0, high=1.0, closed="low")
        for name in ("generator_rate", "critic_rate"):
            check_real(name, getattr(self, name), low=0.0, closed="neither")
        for name in ("generator_betas", "critic_betas"):
            betas = getattr(self, name)
            if not isinstance(betas, (tuple, list)) or len(betas) != 2:
                raise RecipeError(f"{name} must be two numbers, got {betas!r}.")
            for beta in betas:
                check_real(name, beta, low=0.0, high=1.0, closed="low")
        self._check_terms()
        return self

    def _check_terms(self) -> None:
        names = [spec.name for spec in self.terms]
        offered = self.offers() | set(names)
        for spec in self.terms:
            term = self._build(spec)
            if hasattr(term, "every"):
                check_integer(f"every of the term {spec.name!r}", term.every, minimum=1)
            for need in sorted(term.needs - offered):
                raise RecipeError(f"Recipe {self.name!r}: the term {spec.name!r} needs {need!r}.")
            for other in sorted(term.conflicts & offered):
                raise RecipeError(
                    f"Recipe {self.name!r}: {spec.name!r} and {other!r} cannot be combined."
                )
            any_of: frozenset[str] = getattr(term, "needs_one_of", frozenset())
            if any_of and not any_of & offered:
                raise RecipeError(
                    f"Recipe {self.name!r}: the term {spec.name!r} needs one of {sorted(any_of)}."
                )
        guided = any(spec.build().side == "generator" for spec in self.terms)
        if self.warmup > 0 and not guided:
            raise RecipeError(
                f"Recipe {self.name!r}: a warm-up without the critic needs a term for the "
                "generator, for instance 'moments'."
            )

    def _build(self, spec: TermSpec) -> Any:
        if spec.name not in TERMS:
            raise RecipeError(
                f"Recipe {self.name!r}: no term {spec.name!r}; there are {sorted(TERMS)}."
            )
        try:
            return spec.build()
        except TypeError as error:
            raise RecipeError(f"Recipe {self.name!r}, term {spec.name!r}: {error}.") from error

    def to_json(self) -> dict[str, Any]:
        """Return the recipe as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Rebuild a recipe from :meth:`to_json`.

        Raises
        ------
        RecipeError
            If a field is unknown or a part does not fit.
        """
        known = {entry.name for entry in fields(cls)}
        unknown = sorted(set(document) - known)
        if unknown:
            raise RecipeError(f"A recipe has no field {unknown[0]!r}.")
        document = dict(document)
        document["terms"] = tuple(TermSpec(**spec) for spec in document.get("terms", ()))
        for name in ("generator_betas", "critic_betas"):
            if name in document:
                document[name] = tuple(document[name])
        return cls(**document).check()


def same_adam(rate: float, betas: tuple[float, float]) -> dict[str, Any]:
    """Return the fields of a recipe whose two players learn by Adam with the same settings.

    Examples
    --------
    >>> same_adam(2e-4, (0.5, 0.999))["critic_rate"]
    0.0002
    """
    return {
        "generator_rate": rate,
        "critic_rate": rate,
        "generator_betas": betas,
        "critic_betas": betas,
    }
