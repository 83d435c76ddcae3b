"""Every error and warning that synthgen raises on purpose.

Each message says what was wrong, what was found and what to do about it. The classes also derive
from the built-in exception that a caller would expect, so ``except ValueError`` keeps working.

Examples
--------
>>> from synthgen.errors import InvalidParameterError, SynthgenError
>>> issubclass(InvalidParameterError, ValueError), issubclass(InvalidParameterError, SynthgenError)
(True, True)
"""


class SynthgenError(Exception):
    """Base class of all errors raised by synthgen."""


class InvalidParameterError(SynthgenError, ValueError):
    """A constructor or method parameter has a value that cannot work."""


class InvalidDataError(SynthgenError, ValueError):
    """The data given by the user cannot be used as they are."""


class SchemaMismatchError(InvalidDataError):
    """A frame does not have the columns or types that the schema or the fitted model expects."""


class ConditionError(SynthgenError, ValueError):
    """A condition names an unknown column or value, or is too rare under the model."""


class ConstraintError(SynthgenError, ValueError):
    """A constraint is malformed, contradicts another one, or cannot be satisfied."""


class RecipeError(InvalidParameterError):
    """The parts of a training recipe do not fit together."""


class TrainingError(SynthgenError, RuntimeError):
    """Training could not produce a usable model."""


class ResourceError(SynthgenError, MemoryError):
    """The estimated memory for a task exceeds what the machine has free."""


class ArtifactError(SynthgenError, RuntimeError):
    """A saved model is missing, truncated, tampered with, or written by a newer version."""


class MissingExtraError(SynthgenError, ImportError):
    """A feature needs an optional dependency that is not installed."""

    def __init__(self, feature: str, package: str, extra: str) -> None:
        self.feature = feature
        self.package = package
        self.extra = extra
        super().__init__(
            f"{feature} needs the package '{package}', which is not installed. "
            f'Install it with: pip install "synthgen-toolkit[{extra}]"'
        )

    def __reduce__(self) -> tuple[type, tuple[str, str, str]]:
        return type(self), (self.feature, self.package, self.extra)


class SynthgenWarning(UserWarning):
    """Base class of all warnings issued by synthgen."""


class DataWarning(SynthgenWarning):
    """The data were usable, but something about them deserves attention."""


class TrainingWarning(SynthgenWarning):
    """Training finished or was interrupted in a way the user should know about."""
