"""Where to compute, and in which precision."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from synthgen.errors import InvalidParameterError

if TYPE_CHECKING:
    import torch

Net = TypeVar("Net", bound="torch.nn.Module")


def resolve_device(device: str) -> torch.device:
    """Turn the `device` parameter into a device that exists.

    Parameters
    ----------
    device : str
        "auto" takes CUDA if there is any, else the CPU. Anything else goes to ``torch.device``.

    Raises
    ------
    InvalidParameterError
        If it is no device, or not on this machine.
    """
    import torch

    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
    except (RuntimeError, TypeError) as error:
        raise InvalidParameterError(
            f"device must be 'auto' or a torch device such as 'cpu' or 'cuda', got {device!r}."
        ) from error
    missing = (found.type == "cuda" and not torch.cuda.is_available()) or (
        found.type == "mps" and not torch.backends.mps.is_available()
    )
    if missing:
        raise InvalidParameterError(f"device {device!r} is not available here; use 'auto'.")
    return found


def supports_bfloat16(device: torch.device) -> bool:
    """Return whether matrix products in bfloat16 are faster than in float32 on `device`."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    if device.type == "cpu":
        query = getattr(torch.cpu, "get_capabilities", dict)
        found: dict[str, Any] = query()
        return bool(found.get("avx512_bf16") or found.get("amx_bf16"))
    return False


def channels_last(module: Net) -> Net:
    """Lay the weights of convolutions out with channels last; convolutions then run on that layout.

    On processors with vector units this is a fifth faster at 28 pixels, and on tensor cores more.
    Other weights stay as they are.

    Returns
    -------
    torch.nn.Module
        The same one.
    """
    import torch

    for weight in module.parameters():
        if weight.dim() == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return module
