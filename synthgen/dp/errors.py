"""Errors and warnings about privacy."""

from __future__ import annotations

from synthgen.errors import SynthgenError, SynthgenWarning


class PrivacyError(SynthgenError, RuntimeError):
    """What was asked for cannot be private; the message names an alternative."""


class BudgetExceededError(PrivacyError):
    """A release would spend more privacy than was granted; nothing was released."""


class PrivacyWarning(SynthgenWarning):
    """A guarantee holds, but is weaker than the user may think."""
