"""Fades as filters of libavfilter, exact to the sample; pure.

libmpv has no crossfade, and no gain besides the user's volume before 0.37. A thread that
steps the volume gives one step for every chunk the sound card takes (85 ms with SDL,
some 25 ms with ALSA), which one hears as zipper noise, and a thread that dies leaves the
volume low. A filter on the one file that fades has neither fault: it is computed by
libmpv's own threads, and it is gone with its file.

The fade-out counts from the first sample that it sees, so nobody has to know how far the
decoder is ahead of the ear. After the last sample it ends the stream: libmpv goes on to
the next file of its playlist by itself, even while Python is busy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from moodride.playback.loudness import SAMPLES

__all__ = ["Ramp", "fade_in", "fade_out", "ramps"]

_RISE_S: Final = 0.14
"""A new track comes up this fast after another: no click, and no late beginning."""

_RISE_SHARE: Final = 0.7
"""Share of a short fade that the new track gets; a press is answered by the other part."""

_LATE_S: Final = 2.0
"""A ramp by hand may come so much later than was foreseen, where libmpv is slow."""

# Lengths under a millisecond have no meaning, and libavfilter reads no "1e-05".
_SHORTEST_S: Final = 0.001


def ramps(fade_s: float) -> tuple[float, float]:
    """How a change of tracks shares its time: the fall of the old one, the rise of the new.

    A skip of 0.2 s falls for 60 ms and rises for 140 ms: at a press the new track is to be
    heard soon. A soothing change of 1.5 s falls for 1.36 s.

    Args:
        fade_s: from the full level of the one to that of the other, seconds; 0 or less
            is a cut.

    Returns:
        Two lengths in seconds that sum to ``fade_s``, or zeros.
    """
    whole_s = max(fade_s, 0.0)
    rise_s = min(_RISE_S, _RISE_SHARE * whole_s)
    return whole_s - rise_s, rise_s


def fade_out(fade_s: float) -> str:
    """A graph that fades to silence from now on and then ends the file.

    The gain is half a cosine: it begins and ends without a kink, so without a click. It is
    computed for every sample, which takes 2 % of a core (x86-64): in steps of 64 samples a
    tone of 440 Hz that falls for 80 ms has a buzz beside it at -43 dB, and so at -108 dB.

    Args:
        fade_s: length in seconds.
    """
    length = max(fade_s, _SHORTEST_S)
    gain = f"0.5+0.5*cos(PI*min(1,n/(s*{length:.4f})))"  # n-th sample, s of them in a second
    return (
        f"@out:lavfi=[aeval=exprs='val(ch)*({gain})':channel_layout=same,"
        f"atrim=duration={length:.4f},{SAMPLES}]"
    )


def fade_in(at_s: float, fade_s: float) -> str:
    """A graph that comes up from silence at a position of the file.

    Args:
        at_s: where the file begins to play, seconds.
        fade_s: length in seconds.
    """
    length = max(fade_s, _SHORTEST_S)
    return f"@in:lavfi=[afade=t=in:curve=hsin:st={max(at_s, 0.0):.4f}:d={length:.4f},{SAMPLES}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ramp:
    """A gain that goes from one level to another at a place in the file, and stays there.

    It counts in the time of the file, so what its gain is anywhere is known beforehand: a
    ramp that takes the place of another one goes on exactly where that one is.

    Attributes:
        at_s: where in the file it begins, seconds.
        length_s: how long it takes, seconds.
        start: the gain to begin with, 0..1.
        goal: the gain to end with, 0..1.
        before: what holds until ``at_s``, or None: ``start`` does.
    """

    at_s: float
    length_s: float
    start: float
    goal: float
    before: Ramp | None = None

    @property
    def end_s(self) -> float:
        """Where it has come to its goal."""
        return self.at_s + self.length_s

    def gain(self, t_s: float) -> float:
        """The gain at a place of the file, 0..1."""
        if t_s < self.at_s:
            return self.before.gain(t_s) if self.before else self.start
        share = min((t_s - self.at_s) / self.length_s, 1.0)
        return self.start + (self.goal - self.start) * (0.5 - 0.5 * math.cos(math.pi * share))

    def then(self, goal: float, *, now_s: float, at_s: float, length_s: float) -> Ramp:
        """The ramp that takes over from this one.

        Args:
            goal: the gain to end with, 0..1.
            now_s: what lies before this place of the file was heard already.
            at_s: where in the file it begins, seconds.
            length_s: how long it takes, seconds.
        """
        before = self if self.end_s > now_s else None
        start = self.gain(at_s)
        return Ramp(at_s=at_s, length_s=length_s, start=start, goal=goal, before=before)

    def graph(self, label: str) -> str:
        """The filter; once the full level is reached it lets the sound pass.

        Should it come later than its beginning, it begins then: a jump would click. But a
        filter that libmpv makes anew long after, as when a card comes back, has arrived.
        """
        late_s = self.at_s + _LATE_S
        begin = f"if(lt(t,{late_s:.6f}),max(t,{self.at_s:.6f}),{self.at_s:.6f})"
        begins = f"st(0,if(ld(1),ld(0),{begin}));st(1,1)"
        passes_s = self.end_s + _LATE_S
        enable = f":enable='lt(t,{passes_s:.6f})'" if self.goal == 1.0 else ""
        share = f"clip((t-ld(0))/{self.length_s:.6f},0,1)"
        gain = self._after(self._on_the_way(share))
        return (
            f"@{label}:lavfi=[aeval=exprs='{begins};val(ch)*({gain})':channel_layout=same{enable},"
            f"{SAMPLES}]"
        )

    def _on_the_way(self, share: str) -> str:
        return f"{self.start:.9f}+{self.goal - self.start:.9f}*(0.5-0.5*cos(PI*{share}))"

    def _after(self, gain: str) -> str:
        """That gain, from the beginning on; what was before it until then."""
        return (
            f"if(lt(t,{self.at_s:.6f}),{self.before.expression()},{gain})" if self.before else gain
        )

    def expression(self) -> str:
        """The gain at ``t``, for libavfilter."""
        share = f"clip((t-{self.at_s:.6f})/{self.length_s:.6f},0,1)"
        return self._after(self._on_the_way(share))
