"""Folders that are there, that are not, and that hang."""

from __future__ import annotations

import threading
import time
from pathlib import Path

from moodride.commands.presence import PATIENCE_S, Presence, is_there


def test_folder_is_there_when_it_holds_anything(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    assert is_there(str(tmp_path / "full"))
    for name in ("empty", "file", "none", "nul\0"):
        assert not is_there(str(tmp_path / name))


def test_folders_come_in_their_order_when_all_answer(tmp_path: Path) -> None:
    names = [str(tmp_path / name) for name in "cab"]
    presence = Presence(look=lambda name: not name.endswith("a"))
    assert presence.among(names) == (names[0], names[2])
    assert presence.among(()) == ()


def test_folder_that_hangs_counts_as_away_until_it_answers() -> None:
    free, asked = threading.Event(), []

    def look(name: str) -> bool:
        asked.append(name)
        return name != "hangs" or free.wait(30.0)

    presence = Presence(look=look)
    began_s = time.thread_time()
    assert presence.among(("hangs", "answers")) == ("answers",)
    assert presence.among(("hangs", "answers")) == ("answers",)
    assert asked.count("hangs") == 1, "one thread for each folder, however often it is looked at"
    assert time.thread_time() - began_s < PATIENCE_S, "it sleeps meanwhile"
    free.set()
    while presence.among(("hangs",)) != ("hangs",):
        pass
    assert asked.count("hangs") <= 2
