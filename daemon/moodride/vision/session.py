"""onnxruntime, and nothing else here imports it.

One thread, no spinning, one operator after the other: on a small board the cores belong
to the music too, and a network that spins while it waits burns a core for nothing.
"""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING, Any, NoReturn

# From 1.29 on onnxruntime reports its use to its maker, and keeps a number of the device in
# the home folder, unless told not to before it loads. Nothing leaves this process but readings.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

import numpy as np
import onnxruntime

from moodride.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from moodride.vision.card import Card

__all__ = ["Session"]

_log = logging.getLogger(__name__)

_ERRORS_ONLY = 3


class Session:
    """One network, ready to run on inputs of the size that its card gives.

    Args:
        card: names the file, its checksum, the input's shape.
        outputs: names of the outputs that `run` returns, in that order; one empty name
            stands for the network's only output.
        threads: that work on one input.

    Raises:
        ModelError: the file is missing, damaged, no network, or not what the card says.
    """

    def __init__(self, card: Card, *, outputs: Sequence[str], threads: int = 1) -> None:
        """Load, check and prepare the network."""
        self._where = str(card.model_path)
        self._name = card.input.name
        self._shape = (1, card.input.depth, card.input.height, card.input.width)
        self._session = _open(card.read_model(), card=card, threads=threads)
        self._outputs = self._named(outputs)
        self._check(card.source.name)
        _log.debug("%s loaded, input %s", self._where, self._shape)

    def run(self, blob: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Run the network once.

        Args:
            blob: 1 x channels x height x width.

        Returns:
            The outputs asked for, as the network shapes them.

        Raises:
            ModelError: the blob has another shape or type, or the network fails.
        """
        if blob.shape != self._shape or blob.dtype != np.float32:
            what = f"got {blob.dtype} {blob.shape}, needs float32 {self._shape}"
            raise ModelError(what, where=self._where, remedy="scale the picture as the card says")
        try:
            return list(self._session.run(self._outputs, {self._name: np.ascontiguousarray(blob)}))
        except _failures() as error:
            raise ModelError(f"failed: {error}", where=self._where) from error

    def _check(self, card: str) -> None:
        """Compare the network's names and shapes with the card's."""
        inputs = self._session.get_inputs()
        self._name = self._name or inputs[0].name
        if len(inputs) != 1 or inputs[0].name != self._name:
            found = ", ".join(one.name for one in inputs)
            self._refuse(f"its inputs are {found}, {card} says {self._name}")
        if not _fits(inputs[0].shape, self._shape):
            self._refuse(f"its input is {inputs[0].shape}, {card} says {list(self._shape)}")
        known = {one.name for one in self._session.get_outputs()}
        if missing := [name for name in self._outputs if name not in known]:
            self._refuse(f"it has no output {', '.join(missing)} as {card} says")

    def _named(self, outputs: Sequence[str]) -> list[str]:
        """Put the name of the only output where the card leaves it open."""
        if "" not in outputs:
            return list(outputs)
        found = [one.name for one in self._session.get_outputs()]
        if len(outputs) != 1 or len(found) != 1:
            self._refuse(f"its outputs are {', '.join(found)}: the card has to name them")
        return found

    def _refuse(self, what: str) -> NoReturn:
        raise ModelError(what, where=self._where, remedy="take card and model from one release")


def _fits(dims: Sequence[object], shape: tuple[int, ...]) -> bool:
    """Whether a network takes that shape; a free dimension (no number) takes any length."""
    pairs = zip(dims, shape, strict=False)
    free_or_same = all(not isinstance(dim, int) or dim == length for dim, length in pairs)
    return len(dims) == len(shape) and free_or_same


def _open(data: bytes, *, card: Card, threads: int) -> Any:  # noqa: ANN401 - it has no types
    """Make the session; onnxruntime's own classes have no types."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = _ERRORS_ONLY
    # One file may serve cards of several sizes: with its free dimensions fixed before it is
    # prepared, it runs as one made for this size (measured: up to 6 % faster than left free).
    options.add_free_dimension_override_by_name("height", card.input.height)
    options.add_free_dimension_override_by_name("width", card.input.width)
    try:
        return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except _failures() as error:
        what = f"no network that onnxruntime can load ({error})"
        where = str(card.model_path)
        raise ModelError(what, where=where, remedy="install the model again") from error


def _failures() -> tuple[type[Exception], ...]:
    """Return what onnxruntime raises; its own exceptions share no base but `Exception`."""
    state = onnxruntime.capi.onnxruntime_pybind11_state
    names = (
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NoModel",
        "NotImplemented",
    )
    own = [getattr(state, name) for name in (*names, "RuntimeException") if hasattr(state, name)]
    return (*own, RuntimeError, ValueError)
