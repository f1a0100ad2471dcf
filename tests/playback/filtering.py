"""Filters of libavfilter on a sound, without libmpv: the same graphs, told in its words."""

from __future__ import annotations

import re
from collections.abc import Sequence

import av
import av.filter
import numpy as np
from playback.sounds import RATE, Sound

LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
OUTSIDE_QUOTES = re.compile(r",(?=(?:[^']*'[^']*')*[^']*$)")


def through(
    text: str,
    sound: Sound,
    *,
    rate: int = RATE,
    pieces: Sequence[int] = (512,),
    at_s: float = 0.0,
) -> Sound:
    """What comes out of a filter.

    Args:
        text: as libmpv reads it, ``@label:lavfi=[...]``.
        sound: array (channels, samples).
        rate: samples per second.
        pieces: the lengths of the frames, in turn.
        at_s: where in its file the sound begins, seconds.
    """
    graph = av.filter.Graph()
    links = [graph.add_abuffer(sample_rate=rate, format="fltp", layout=LAYOUTS[len(sound)])]
    for one in OUTSIDE_QUOTES.split(text[text.index("[") + 1 : -1]):
        name, _, options = one.partition("=")
        links.append(graph.add(name, options))
    links.append(graph.add("abuffersink"))
    graph.link_nodes(*links).configure()
    out, begin, turn = [], 0, 0
    while begin < sound.shape[1]:
        piece = sound[:, begin : begin + pieces[turn % len(pieces)]]
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(piece, np.float32), format="fltp", layout=LAYOUTS[len(sound)]
        )
        frame.sample_rate, frame.pts = rate, round(at_s * rate) + begin
        graph.push(frame)
        out += _pulled(graph)
        begin, turn = begin + piece.shape[1], turn + 1
    graph.push(None)
    out += _pulled(graph)
    return np.concatenate(out, axis=1).astype(np.float64)


def _pulled(graph: av.filter.Graph) -> list[Sound]:
    got = []
    while True:
        try:
            got.append(graph.pull().to_ndarray())
        except (av.error.BlockingIOError, av.error.EOFError):
            return got
