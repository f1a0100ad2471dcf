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

from typing import Final

from moodride.playback.loudness import SAMPLES

__all__ = ["fade_in", "fade_out", "ramps"]

_RISE_S: Final = 0.14
"""A new track comes up this fast after another: no click, and no late beginning."""

_RISE_SHARE: Final = 0.7
"""Share of a short fade that the new track gets; a press is answered by the other part."""

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
