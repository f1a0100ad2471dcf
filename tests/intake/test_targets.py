from __future__ import annotations

import os
from pathlib import Path

import pytest

from moodride.intake.targets import Target, targets
from moodride.library.store import Source


def source(number: int, folder: str, *, away: bool = False) -> Source:
    return Source(
        number=number,
        folder=folder,
        label="",
        medium="",
        tracks=1,
        last_scan=1,
        complete=True,
        away=away,
    )


def chosen(asked: list[str], known: list[str]) -> dict[bytes, Target]:
    sources = [source(n, folder) for n, folder in enumerate(known)]
    return {each.folder: each for each in targets([Path(a) for a in asked], sources)}


def test_each_folder_is_a_target_when_they_have_nothing_in_common() -> None:
    assert list(chosen(["/b", "/a", "/ab"], ["/other"])) == [b"/b", b"/a", b"/ab"]


def test_a_folder_is_scanned_once_when_it_is_asked_for_twice() -> None:
    assert list(chosen(["/a", "/a/", "/a/./b/.."], [])) == [b"/a"]


def test_a_folder_is_scanned_once_when_another_holds_it() -> None:
    assert list(chosen(["/a/b", "/a", "/a/c/d"], [])) == [b"/a"]


def test_the_whole_source_is_scanned_when_a_part_is_asked_for() -> None:
    (only,) = chosen(["/music/new"], ["/music"]).values()
    assert (only.folder, only.asked, only.leave_out) == (b"/music", "/music/new", frozenset())


def test_a_source_is_left_out_and_scanned_too_when_it_lies_inside() -> None:
    found = chosen(["/media"], ["/media/stick", "/media/stick/old", "/mediathek"])
    assert set(found) == {b"/media", b"/media/stick", b"/media/stick/old"}
    assert found[b"/media"].leave_out == {b"stick", b"stick/old"}
    assert found[b"/media/stick"].leave_out == {b"old"}


def test_a_source_that_is_away_takes_nobody_in() -> None:
    sources = [source(1, "/media/stick", away=True)]
    (only,) = targets([Path("/media/stick/Music")], sources)
    assert only.folder == b"/media/stick/Music"


def test_folders_are_absolute_when_they_were_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (only,) = targets([Path("music")], [])
    assert only.folder == os.fsencode(tmp_path / "music")


def test_folders_are_found_when_their_names_are_no_text() -> None:
    found = chosen([os.fsdecode(b"/m\xff/x")], [os.fsdecode(b"/m\xff")])
    assert list(found) == [b"/m\xff"]
