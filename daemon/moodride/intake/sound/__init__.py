"""What a track sounds like: loudness, tempo, key, and the mood that follows (extra ``analyse``).

`analyse` is all that the tools call. It decodes nothing itself: worker processes do, so that a
file that crashes a decoder takes one worker with it and no more. Only they load PyAV.
"""

from moodride.intake.sound.batch import Limits, Progress, Report, analyse

__all__ = ["Limits", "Progress", "Report", "analyse"]
