from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import music_tree
import pytest

from moodride.intake.walk import Found, count_files, is_ignored, look, walk


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return music_tree.make_sounds(tmp_path_factory.mktemp("sounds"))


def found(top: Path) -> list[Found]:
    folders = list(walk(os.fsencode(top)))
    seen = [look(folder, entry) for folder in folders for entry in folder.entries]
    return [each for each in seen if each is not None]


def names(top: Path) -> list[bytes]:
    return [each.path for each in found(top)]


def touch(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_walk_finds_what_is_called_like_music_and_nothing_else(
    tmp_path: Path, sounds: dict[str, Path]
) -> None:
    odd = music_tree.odd_tree(tmp_path / "top", sounds)
    paths = names(tmp_path / "top")
    assert set(paths) == odd.music | odd.broken
    assert len(paths) == len(set(paths))
    assert count_files(os.fsencode(tmp_path / "top")) == len(paths)


def test_walk_keeps_its_order_when_files_are_made_in_another(tmp_path: Path) -> None:
    paths = ["b/2.mp3", "b/1.mp3", "a/z/1.mp3", "a/1.mp3", "0.mp3", "B/1.mp3"]
    for place, order in (("one", paths), ("two", paths[::-1])):
        for path in order:
            touch(tmp_path / place / path)
    assert names(tmp_path / "one") == names(tmp_path / "two")
    assert names(tmp_path / "one")[:2] == [b"0.mp3", b"B/1.mp3"]


def test_look_says_what_a_thing_is_when_it_is_no_file(
    tmp_path: Path, sounds: dict[str, Path]
) -> None:
    music_tree.odd_tree(tmp_path / "top", sounds)
    problems = {each.path: each.problem for each in found(tmp_path / "top")}
    assert problems[b"special/pipe.mp3"] == "it is a named pipe, not a file"
    assert problems[b"special/socket.mp3"] == "it is a socket, not a file"
    assert problems[b"special/endless.mp3"] == "it is a device, not a file"
    assert problems[b"special/to nothing.mp3"] == "it is a link to nothing"
    assert "symbolic links" in problems[b"special/itself.mp3"]
    assert problems[b"broken/empty.mp3"] == "it is empty"
    assert problems[b"kinds/plain.mp3"] == ""


def test_look_gives_nothing_when_the_file_vanished(tmp_path: Path) -> None:
    path = touch(tmp_path / "here.mp3")
    (folder,) = walk(os.fsencode(tmp_path))
    path.unlink()
    assert look(folder, folder.entries[0]) is None


def test_look_knows_size_and_time_of_a_linked_file(tmp_path: Path) -> None:
    there = touch(tmp_path / "store" / "object", "four")
    (tmp_path / "top").mkdir()
    (tmp_path / "top" / "song.mp3").symlink_to(there)
    (one,) = found(tmp_path / "top")
    assert (one.size, one.mtime_ns) == (4, there.stat().st_mtime_ns)


def test_walk_visits_once_when_links_lead_in_circles(tmp_path: Path) -> None:
    touch(tmp_path / "top" / "a" / "1.mp3")
    touch(tmp_path / "far" / "b" / "2.mp3")
    (tmp_path / "top" / "a" / "self").symlink_to(".")
    (tmp_path / "top" / "a" / "parent").symlink_to("..")
    (tmp_path / "top" / "far").symlink_to(tmp_path / "far")
    (tmp_path / "top" / "far again").symlink_to(tmp_path / "far" / "b")
    (tmp_path / "far" / "back").symlink_to(tmp_path / "top")
    (tmp_path / "far" / "all").symlink_to(tmp_path)
    assert names(tmp_path / "top") == [b"a/1.mp3", b"far/b/2.mp3"]


def test_walk_follows_a_link_inside_when_nothing_else_leads_there(tmp_path: Path) -> None:
    touch(tmp_path / ".annex" / "objects" / "x7f", "sound")
    touch(tmp_path / ".hidden" / "1.mp3")
    touch(tmp_path / "album" / "real.mp3")
    (tmp_path / "album" / "annexed.mp3").symlink_to("../.annex/objects/x7f")
    (tmp_path / "album" / "again.mp3").symlink_to("real.mp3")
    (tmp_path / "shown").symlink_to(".hidden")
    assert names(tmp_path) == [b"album/annexed.mp3", b"album/real.mp3", b"shown/1.mp3"]


def test_walk_names_a_folder_when_it_cannot_be_listed(tmp_path: Path) -> None:
    touch(tmp_path / "b" / "1.mp3")
    at = os.open(tmp_path, os.O_RDONLY)
    for _ in range(20):  # deeper than any path can say
        os.mkdir("a" * 250, dir_fd=at)
        at, above = os.open("a" * 250, os.O_RDONLY, dir_fd=at), at
        os.close(above)
    os.close(at)
    folders = list(walk(os.fsencode(tmp_path)))
    (refused,) = [folder for folder in folders if folder.problem]
    assert refused.problem == "File name too long"
    assert refused.errno
    assert folders[-1].entries[0].name == b"1.mp3"


@pytest.mark.parametrize("what", ["missing", "file"])
def test_walk_says_why_when_the_top_is_no_folder(tmp_path: Path, what: str) -> None:
    if what == "file":
        touch(tmp_path / what)
    (only,) = walk(os.fsencode(tmp_path / what))
    assert (only.path, bool(only.problem), only.entries) == (b"", True, ())


def test_walk_goes_on_when_a_folder_vanishes_before_its_turn(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        touch(tmp_path / name / "1.mp3")
    walker = walk(os.fsencode(tmp_path))
    assert next(walker).path == b""
    (tmp_path / "b" / "1.mp3").unlink()
    (tmp_path / "b").rmdir()
    rest = list(walker)
    assert [folder.path for folder in rest] == [b"a", b"b", b"c"]
    assert [bool(folder.problem) for folder in rest] == [False, True, False]


def test_walk_leaves_out_what_it_is_told_to(tmp_path: Path) -> None:
    for path in ("a/1.mp3", "a/b/2.mp3", "c/3.mp3"):
        touch(tmp_path / path)
    left = [folder.path for folder in walk(os.fsencode(tmp_path), leave_out={b"a"})]
    assert left == [b"", b"c"]


@pytest.mark.parametrize(
    ("name", "ignored"),
    [
        (b".Trashes", True),
        (b"._song.mp3", True),
        (b"System Volume Information", True),
        (b"$Recycle.Bin", True),
        (b"FOUND.003", True),
        (b"Lost+Found", True),
        (b"Trash Metal", False),
        (b"Found", False),
        (b"_song.mp3", False),
    ],
)
def test_names_are_ignored_when_they_are_a_systems(name: bytes, *, ignored: bool) -> None:
    assert is_ignored(name) is ignored


def test_memory_stays_small_when_there_are_many_folders(tmp_path: Path) -> None:
    for number in range(1500):
        touch(tmp_path / f"{number // 50:02d}" / f"{number % 50:02d}" / "1.mp3")
    tracemalloc.start()
    try:
        assert sum(len(folder.entries) for folder in walk(os.fsencode(tmp_path))) == 1500
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000
