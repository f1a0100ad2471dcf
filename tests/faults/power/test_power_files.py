"""Our own files after a power cut, without strace: each holds the old or the new."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from power_cuts import FLASH, KINDS, cuts
from power_ops import Image, Mark
from power_trace import Recording
from power_watch import watched

from moodride.controls.camera import CameraSwitch
from moodride.memory.resume import ResumePoint, ResumeStore
from moodride.memory.usual import UsualStore
from moodride.mood.baseline import Usual
from moodride.types import EMOTIONS, Mood

HONEST = [kind for kind in KINDS if kind not in FLASH]


def point(number: int) -> ResumePoint:
    """Now and then one that does not fit into a slot."""
    queue = tuple(f"track-{number}-{n}" for n in range(400 if number == 6 else 2))
    hand = Mood.CALM if number % 3 == 2 else None
    return ResumePoint(track_id=f"t{number}", position_s=5.0 * number, queue=queue, hand_mood=hand)


def face(number: int) -> Usual:
    rest = (0.1,) * (len(EMOTIONS) - 1)
    return Usual(p=(0.1 + number / 100, *rest), seen_s=100.0 * number)


def drive(state: Path, mark: Callable[[str], None]) -> None:
    """Save and switch; each time it is said which number is begun and which is done."""
    resume, usual = ResumeStore(state), UsualStore(state)
    camera = CameraSwitch(state.parent, state)
    for number in range(1, 12):
        mark(f"resume {number}")
        resume.save(point(number))
        mark(f"resume {number} done")
        if number % 3 == 0:
            mark(f"usual {number}")
            usual.save(face(number))
            mark(f"usual {number} done")
        if number % 4 == 0:
            mark(f"camera {number}")
            camera.switch(number == 8)
            mark(f"camera {number} done")
    resume.close()


def found(image: Image, folder: Path) -> dict[str, Any]:
    """What a start finds."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, data in image.items():
        (folder / name).write_bytes(data)
    camera = CameraSwitch(folder / "none", folder)
    what = {"resume": ResumeStore(folder).load(), "usual": UsualStore(folder).load()}
    assert not list(folder.glob("*.damaged"))
    return what | {"camera": camera.on}


TRUE: dict[str, Callable[[int], Any]] = {
    "resume": lambda n: point(n) if n else None,
    "usual": lambda n: face(n) if n else None,
    "camera": lambda n: n in {0, 8},
}


def check(recording: Recording, folder: Path) -> int:
    """Every cut; returns how many there were."""
    count, at = 0, -1
    may: dict[str, list[int]] = {store: [0] for store in TRUE}
    for cut in cuts(recording, seed=1, each=10, kinds=HONEST):
        count += 1
        for op in recording.ops[at + 1 : cut.at + 1]:
            if isinstance(op, Mark):
                store, number, *done = op.said.split()
                may[store] = [int(number)] if done else [*may[store], int(number)]
        at = max(at, cut.at)
        what = found(cut.image, folder)
        for store, numbers in may.items():
            assert what[store] in [TRUE[store](n) for n in numbers], (cut.kind, cut.at, store)
    return count


def test_files_when_power_goes_at_any_instant_hold_the_old_or_the_new(tmp_path: Path) -> None:
    (state := tmp_path / "state").mkdir()
    with watched(state) as (mark, finished):
        drive(state, mark)
        recording = finished()
    assert check(recording, tmp_path / "disk") >= 1000


@pytest.mark.parametrize("without", ["fsync", "fdatasync"])
def test_files_when_nothing_waits_for_the_disk_are_found_out(tmp_path: Path, without: str) -> None:
    (state := tmp_path / "state").mkdir()
    with watched(state, without=without) as (mark, finished):
        drive(state, mark)
        recording = finished()
    with pytest.raises(AssertionError, match="resume"):
        check(recording, tmp_path / "disk")
