"""Muon: momentum whose matrices are made orthogonal before the step.

Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"
(kellerjordan.github.io/posts/muon); the coefficients of the Newton-Schulz iteration are
theirs. PyTorch has one for matrices, which computes in bfloat16: on a CPU without it that
takes a third of the training's time, so here it is in float32, and for convolutions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torch import Tensor

__all__ = ["Muon", "orthogonal"]

_COEFFICIENTS: Final = (3.4445, -4.7750, 2.0315)
_ITERATIONS: Final = 5
_EPSILON: Final = 1e-7


def orthogonal(matrix: Tensor) -> Tensor:
    """Move all singular values of a matrix near to 1 (0.7 to 1.2), keeping its directions."""
    a, b, c = _COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + _EPSILON)
    for _ in range(_ITERATIONS):
        square = x @ x.T
        x = a * x + (b * square + c * (square @ square)) @ x
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """Steps of equal size in every direction of a convolution's or a layer's matrix.

    Args:
        params: weights of two or more dimensions, the first being the outputs.
        lr: size of a step: of the root mean square of a square matrix' rows.
        momentum: of the gradient, 0..1, used as Nesterov does.
        weight_decay: share of the weight taken away a step, times `lr`.
    """

    def __init__(
        self,
        params: Iterable[Any],
        *,
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
    ) -> None:
        """Keep the settings in each group, where schedulers find them."""
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:
        """Take one step."""
        loss = closure() if closure else None
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is not None:
                    self._move(weight, group)
        return loss

    def _move(self, weight: Tensor, group: dict[str, Any]) -> None:
        state = self.state[weight]
        if not state:
            state["momentum"] = torch.zeros_like(weight)
        state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
        ahead = weight.grad.lerp(state["momentum"], group["momentum"])
        rows = ahead.reshape(len(ahead), -1)
        scale = max(1.0, rows.shape[0] / rows.shape[1]) ** 0.5
        weight.mul_(1 - group["lr"] * group["weight_decay"])
        weight.add_(orthogonal(rows).reshape_as(weight), alpha=-group["lr"] * scale)
