"""Fades as filters of libavfilter, exact to the sample; pure strings.

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

__all__ = ["fade_in", "fade_out"]

_CHUNK: Final = 64
"""Samples between two values of the gain: 1.3 ms at 48 kHz."""

# Lengths under a millisecond have no meaning, and libavfilter reads no "1e-05".
_SHORTEST_S: Final = 0.001


def fade_out(fade_s: float) -> str:
    """A graph that fades to silence from now on and then ends the file.

    The gain is half a cosine: it begins and ends without a kink, so without a click.

    Args:
        fade_s: length in seconds.
    """
    length = max(fade_s, _SHORTEST_S)
    # t is not a number while the graph is being built.
    gain = f"if(isnan(t),1,0.5+0.5*cos(PI*min(1,(t-startt)/{length:.4f})))"
    return (
        f"@out:lavfi=[asetnsamples=n={_CHUNK}:p=0,"
        f"volume=eval=frame:volume='{gain}',atrim=duration={length:.4f}]"
    )


def fade_in(at_s: float, fade_s: float) -> str:
    """A graph that comes up from silence at a position of the file.

    Args:
        at_s: where the file begins to play, seconds.
        fade_s: length in seconds.
    """
    length = max(fade_s, _SHORTEST_S)
    return f"@in:lavfi=[afade=t=in:curve=hsin:st={max(at_s, 0.0):.4f}:d={length:.4f}]"
