"""Sharpness-aware minimisation: the gradient where the loss nearby is worst.

Foret, Kleiner, Mobahi and Neyshabur 2021, "Sharpness-Aware Minimization for Efficiently
Improving Generalization" (ICLR, arXiv:2010.01412), with the Euclidean norm over all weights:
the weights are moved by `radius * g / |g|` along the gradient g of the batch, the gradient
is taken again there, the weights go back, and any optimizer steps by the second gradient.
A step costs two passes instead of one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import torch
from torch import Tensor, nn

__all__ = ["gradients"]

_TINY: Final = 1e-12
"""Added to the norm, so that a gradient of nothing moves nothing."""


def gradients(net: nn.Module, loss: Callable[[], Tensor], *, radius: float) -> float:
    """Fill the gradients of a network for one step; its weights stay as they are.

    Args:
        net: the network, in training mode.
        loss: the loss of the batch, computed anew from the weights as they are.
        radius: how far to climb before the gradient is taken, 0 for the plain one.

    Returns:
        The loss at the weights themselves.
    """
    net.zero_grad()
    chances = _chances(net) if radius > 0 else []
    here = loss()
    here.backward()
    if radius > 0:
        before = _climb(net, radius)
        net.zero_grad()
        _restore_chances(chances)  # the same dropout: the same loss, at another place
        with _still(net):
            loss().backward()
        _go_back(before)
    return here.item()


@torch.no_grad()
def _climb(net: nn.Module, radius: float) -> list[tuple[nn.Parameter, Tensor]]:
    """Move the weights up the gradient; return each with its value before."""
    moved = [weight for weight in net.parameters() if weight.grad is not None]
    norm = torch.linalg.vector_norm(
        torch.stack([torch.linalg.vector_norm(weight.grad) for weight in moved])
    )
    before = [(weight, weight.detach().clone()) for weight in moved]
    for weight in moved:
        weight.add_(weight.grad * (radius / (norm + _TINY)))
    return before


@torch.no_grad()
def _go_back(before: list[tuple[nn.Parameter, Tensor]]) -> None:
    """Put the weights back, bit by bit: subtracting what was added would round."""
    for weight, value in before:
        weight.copy_(value)


@contextmanager
def _still(net: nn.Module) -> Iterator[None]:
    """Normalise by the batch as in training, but leave the running statistics alone."""
    norms = [
        layer
        for layer in net.modules()
        if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.track_running_stats  # noqa: SLF001 - their one base class has no public name
    ]
    for layer in norms:
        layer.track_running_stats = False
    try:
        yield
    finally:
        for layer in norms:
            layer.track_running_stats = True


def _chances(net: nn.Module) -> list[Tensor]:
    """Remember the state of torch's random numbers: the CPU's, and CUDA's where it is used."""
    states = [torch.get_rng_state()]
    if any(weight.is_cuda for weight in net.parameters()):
        states += torch.cuda.get_rng_state_all()
    return states


def _restore_chances(states: list[Tensor]) -> None:
    """Let torch draw again what it drew since the states were taken."""
    torch.set_rng_state(states[0])
    if states[1:]:
        torch.cuda.set_rng_state_all(states[1:])
