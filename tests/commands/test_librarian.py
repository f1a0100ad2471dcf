"""The driver's word on a track, as it arrives in a real index by a real process."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from library_pages_kit import Shelves, record

from moodride.commands.librarian import WAITING_MAX, Librarian
from moodride.config import Loaded, load_config
from moodride.library.records import MoodSource
from moodride.library.store import Store
from moodride.types import Mood

PATIENCE_S = 60.0


def until(said: Callable[[], bool], *, what: str) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not said():
        assert time.monotonic() < end_s, f"{what} did not come"
        time.sleep(0.05)


@pytest.fixture
def shelves(tmp_path: Path) -> Shelves:
    return Shelves(tmp_path)


def loaded(shelves: Shelves, tmp_path: Path) -> Loaded:
    path = tmp_path / "owner.toml"
    path.write_text(f'[library]\nindex = "{shelves.index}"\n')
    return load_config([path])


def test_word_of_the_driver_when_given_counts_in_the_index(
    shelves: Shelves, tmp_path: Path
) -> None:
    shelves.add([record("a.flac", mood=Mood.CALM), record("b.flac", mood=Mood.HAPPY)])
    with Store(shelves.index) as store:
        first, second = (row.track_id for row in store.rows())
    librarian = Librarian(loaded(shelves, tmp_path))
    librarian.correct(first, Mood.SAD)
    librarian.correct(second, Mood.ENERGETIC)

    def moods() -> list[tuple[Mood | None, MoodSource | None]]:
        with Store(shelves.index) as store:
            return [(row.mood, row.mood_source) for row in map(store.row, (first, second))]

    wanted = [(Mood.SAD, MoodSource.HAND), (Mood.ENERGETIC, MoodSource.HAND)]
    until(lambda: moods() == wanted, what="the second correction")


@pytest.mark.parametrize(
    "track_id", ["gone", "--help", "", "\udcff"], ids=["gone", "option", "empty", "no UTF-8"]
)
def test_word_of_the_driver_when_it_cannot_be_kept_is_said_in_one_line(
    shelves: Shelves, tmp_path: Path, caplog: pytest.LogCaptureFixture, track_id: str
) -> None:
    shelves.add([record("a.flac", mood=Mood.CALM)])
    caplog.set_level(logging.WARNING)
    Librarian(loaded(shelves, tmp_path)).correct(track_id, Mood.SAD)
    until(lambda: bool(caplog.records), what="a word of what is wrong")
    (told,) = caplog.records
    assert "could not be corrected" in told.getMessage()
    assert "\n" not in told.getMessage()


def test_corrections_when_too_many_wait_are_refused(
    shelves: Shelves, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    librarian = Librarian(loaded(shelves, tmp_path))
    librarian._busy = True  # a process that takes for ever
    for number in range(WAITING_MAX + 3):
        librarian.correct(str(number), Mood.SAD)
    refused = [r for r in caplog.records if "too many corrections wait" in r.getMessage()]
    assert len(refused) == 3
