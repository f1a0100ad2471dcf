"""Keeping in another thread: the music never waits for the disk, and nothing is out of order."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from conductor_kit import make_tracks

from moodride.conductor.clerk import WAITING_MAX, Clerk
from moodride.conductor.events import Entry, Kept, RecordPlay, RecordPress, Resume, Save
from moodride.conductor.keeper import Keeper
from moodride.types import Press, PressKind

PATIENCE_S = 30.0
KINDS = list(PressKind)


class SlowKeeper(Keeper):
    """The real one, on a disk that can be stopped."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.goes = threading.Event()
        self.goes.set()
        self.writes = threading.Event()
        self.breaks = False

    def keep_all(self, actions: Iterable[Kept], *, later: bool = False) -> None:
        self.writes.set()
        assert self.goes.wait(PATIENCE_S)
        if self.breaks:
            raise RuntimeError("a bug")
        super().keep_all(actions, later=later)


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[SlowKeeper]:
    keeper = SlowKeeper(tmp_path)
    yield keeper
    keeper.goes.set()


def presses(folder: Path) -> list[str]:
    with sqlite3.connect(f"{(folder / 'journal.sqlite').as_uri()}?mode=ro", uri=True) as db:
        return [row[0] for row in db.execute("SELECT kind FROM presses ORDER BY seq")]


def press(number: int) -> RecordPress:
    return RecordPress(press=Press(kind=KINDS[number % len(KINDS)]))


def point(position_s: float) -> Save:
    return Save(
        resume=Resume(
            track_id="a", position_s=position_s, queue=(), mood=None, volume_pct=50.0, draw=0
        )
    )


def test_disk_when_it_stands_still_delays_nobody(slow: SlowKeeper, tmp_path: Path) -> None:
    clerk = Clerk(slow)
    slow.goes.clear()
    clerk.keep_all([press(0)])
    assert slow.writes.wait(PATIENCE_S)
    for number in range(1, 50):
        clerk.keep_all([press(number)])  # would not return from a keeper that waits
        clerk.keep_all([point(float(number))])
    assert not clerk.settle(0.01)
    slow.goes.set()
    assert clerk.settle(PATIENCE_S)
    assert presses(tmp_path) == [KINDS[n % len(KINDS)].value for n in range(50)]
    resumed = clerk.resume()
    assert resumed is not None
    assert resumed.position_s == 49.0
    clerk.close()


def test_what_may_come_later_is_written_with_the_next(slow: SlowKeeper, tmp_path: Path) -> None:
    clerk = Clerk(slow)
    clerk.keep_all([press(0)], later=True)
    clerk.keep_all([RecordPlay(entry=Entry(track=make_tracks()[0], why="test"))])
    assert clerk.settle(PATIENCE_S)
    assert presses(tmp_path) == [KINDS[0].value]
    clerk.keep_all([press(1)], later=True)
    clerk.close()
    assert len(presses(tmp_path)) == 2, "and at the end in any case"


def test_disk_when_it_never_answers_is_not_waited_for_at_the_end(
    slow: SlowKeeper, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("moodride.conductor.clerk.CLOSE_S", 0.05)
    clerk = Clerk(slow)
    slow.goes.clear()
    clerk.keep_all([press(0)])
    clerk.close()
    assert "the disk does not answer" in caplog.text


def test_what_waits_for_a_hung_disk_is_bounded(slow: SlowKeeper) -> None:
    clerk = Clerk(slow)
    slow.goes.clear()
    for number in range(WAITING_MAX + 100):
        clerk.keep_all([press(number)])
    assert len(clerk._waiting) <= WAITING_MAX
    slow.goes.set()
    clerk.close()


def test_keeper_when_it_breaks_is_said_and_the_next_is_kept(
    slow: SlowKeeper, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    clerk = Clerk(slow)
    slow.breaks = True
    clerk.keep_all([press(0)])
    assert clerk.settle(PATIENCE_S)
    slow.breaks = False
    clerk.keep_all([press(3)])
    assert clerk.settle(PATIENCE_S)
    clerk.close()
    assert "1 things were not kept" in caplog.text
    assert presses(tmp_path) == [KINDS[3].value]


def test_problem_when_the_disk_refuses_is_told(tmp_path: Path) -> None:
    clerk = Clerk(Keeper(tmp_path / "gone" / "no"))
    clerk.begin()
    assert clerk.problem == ""
    clerk.close()
    (tmp_path / "file").write_text("in the way")
    refused = Clerk(Keeper(tmp_path / "file"))
    refused.begin()
    refused.keep_all([press(0), point(1.0)])
    assert refused.settle(PATIENCE_S)
    assert str(tmp_path / "file") in refused.problem
    refused.close()
