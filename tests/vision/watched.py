"""A vision process to watch: ``python watched.py SETTINGS-JSON``.

The networks are real if the settings name their cards, else a stand-in.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from moodride.errors import MoodrideError
from moodride.types import CostMs, Reading
from moodride.vision.watch import WatchSettings, run_watch

if TYPE_CHECKING:
    from moodride.vision.source import Frame


class Stub:
    """Counts frames; hangs on request, as a network might."""

    def __init__(self, hang_at: int | None) -> None:
        self._hang_at = hang_at
        self._seq = 0

    def analyse(self, frame: Frame) -> Reading:
        """Give a reading without a face."""
        if self._seq == self._hang_at:
            sys.stderr.write("hangs\n")
            sys.stderr.flush()
            time.sleep(1000.0)
        cost = CostMs(capture=frame.cost_ms)
        reading = Reading(seq=self._seq, t_s=frame.t_s, cost_ms=cost)
        self._seq += 1
        return reading


def main() -> int:
    """Run it."""
    given = json.loads(sys.argv[1])
    hang_at = given.pop("hang_at", None)
    build = None if "face_card" in given else lambda _settings: Stub(hang_at)
    for key in ("socket_path", "face_card", "emotion_card", "track_card"):
        if key in given:
            given[key] = Path(given[key])
    settings = WatchSettings(**{"face_card": Path(), "emotion_card": Path(), **given})
    heavy = {"cv2", "numpy", "onnxruntime"} & set(sys.modules)
    assert not heavy, f"loaded at import: {heavy}"
    try:
        return run_watch(settings, build=build)  # type: ignore[arg-type]
    except MoodrideError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_status


if __name__ == "__main__":
    sys.exit(main())
