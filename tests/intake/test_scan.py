from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import music_tree
import pytest

from moodride.intake import source_scan
from moodride.intake.report import SourceReport
from moodride.intake.scan import count, scan
from moodride.library.reading import open_index
from moodride.library.records import Claim, MoodSource
from moodride.library.store import Store, TrackRow
from moodride.types import Mood


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return music_tree.make_sounds(tmp_path_factory.mktemp("sounds"))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store(tmp_path / "index.sqlite") as opened:
        yield opened


@pytest.fixture
def top(tmp_path: Path) -> Path:
    return tmp_path / "music"


@pytest.fixture
def add(top: Path, sounds: dict[str, Path]) -> Callable[..., Path]:
    def make(path: str, **tags: str) -> Path:
        music_tree.tagged(sounds[path.rpartition(".")[2]], top / path, **tags)
        return top / path

    return make


def one(
    store: Store, *folders: Path, progress: Callable[[int], None] = lambda _: None
) -> SourceReport:
    (report,) = scan(store, folders, progress=progress).sources
    return report


def counts(report: SourceReport) -> tuple[int, int, int, int, int]:
    return report.new, report.changed, report.unchanged, report.gone, report.unreadable


def rows(store: Store, top: Path) -> dict[str, TrackRow]:
    return {os.path.relpath(row.path, top): row for row in store.rows()}


def test_everything_odd_is_taken_up_or_refused_with_a_reason(
    store: Store, top: Path, sounds: dict[str, Path]
) -> None:
    odd = music_tree.odd_tree(top, sounds)
    done: list[int] = []
    report = one(store, top, progress=done.append)
    assert report.complete
    assert (report.new, report.unreadable) == (len(odd.music), len(odd.broken))
    start = len(os.fsencode(top)) + 1
    assert {problem.path[start:] for problem in report.problems} == odd.broken
    assert all(problem.why for problem in report.problems)
    found = {os.fsencode(row.path)[start:]: row for row in store.rows()}
    assert set(found) == odd.music | odd.broken
    assert {path for path, row in found.items() if row.problem} == odd.broken
    assert {path: found[path].tags.title for path in odd.titles} == odd.titles
    assert sum(done) == count(store, [top]) == len(found)
    again = one(store, top)
    assert [problem.path[start:] for problem in again.problems] == [b"special/itself.mp3"]
    assert again.unchanged == len(found) - 1


def test_a_second_scan_reads_only_what_changed(
    store: Store, top: Path, add: Callable[..., Path]
) -> None:
    for number in range(6):
        add(f"a/{number}.mp3", title=f"Title {number}")
    assert counts(one(store, top)) == (6, 0, 0, 0, 0)
    add("a/0.mp3", title="Another title")
    os.utime(top / "a" / "1.mp3", ns=(1, 1))
    (top / "a" / "2.mp3").unlink()
    add("b/new.flac", title="New")
    assert counts(one(store, top)) == (1, 2, 3, 1, 0)
    assert counts(one(store, top)) == (0, 0, 6, 0, 0)
    found = rows(store, top)
    assert found["a/0.mp3"].tags.title == "Another title"
    assert "a/2.mp3" not in found


def test_claims_come_from_tags_and_folders(
    store: Store, top: Path, add: Callable[..., Path]
) -> None:
    add("Calm/plain.mp3")
    add("Calm/tagged.mp3", mood="Happy")
    add("Pharrell/Happy/01 Happy.mp3", title="Happy", artist="Pharrell", album="Happy")
    add("plain.mp3")
    one(store, top)
    found = {
        path: [(c.source, c.mood) for c in row.claims] for path, row in rows(store, top).items()
    }
    assert found == {
        "Calm/plain.mp3": [(MoodSource.FOLDER, Mood.CALM)],
        "Calm/tagged.mp3": [(MoodSource.TAG, Mood.HAPPY), (MoodSource.FOLDER, Mood.CALM)],
        "Pharrell/Happy/01 Happy.mp3": [],
        "plain.mp3": [],
    }


def test_names_are_guessed_when_tags_are_missing(
    store: Store, top: Path, add: Callable[..., Path]
) -> None:
    add("Queen/Innuendo/12 Bijou.ogg")
    one(store, top)
    (row,) = store.rows()
    assert (row.tags.artist, row.tags.album, row.tags.title) == ("Queen", "Innuendo", "Bijou")


def test_a_mood_set_by_hand_stays_when_the_file_changes(
    store: Store, top: Path, add: Callable[..., Path]
) -> None:
    add("x.mp3", mood="Happy")
    one(store, top)
    (row,) = store.rows()
    store.claim(row.track_id, Claim(source=MoodSource.HAND, mood=Mood.SAD, confidence=1.0))
    add("x.mp3", mood="Calm", title="Changed")
    assert one(store, top).changed == 1
    (row,) = store.rows()
    assert (row.mood, row.tags.title) == (Mood.SAD, "Changed")


def test_nothing_is_removed_when_the_folder_is_suddenly_empty(
    store: Store, top: Path, add: Callable[..., Path]
) -> None:
    add("x.mp3")
    one(store, top)
    shutil.rmtree(top)
    top.mkdir()  # where a stick was mounted
    report = one(store, top)
    assert not report.complete
    assert "where 1 tracks were" in report.note
    assert len(list(store.rows())) == 1


def test_nothing_is_removed_when_the_folder_is_gone(
    store: Store, top: Path, add: Callable[..., Path]
) -> None:
    add("x.mp3")
    one(store, top)
    shutil.rmtree(top)
    report = one(store, top)
    assert (report.complete, report.note) == (False, "it cannot be read: No such file or directory")
    assert len(list(store.rows())) == 1


def test_nothing_is_removed_when_the_stick_is_pulled_on_the_way(
    store: Store, top: Path, add: Callable[..., Path], tmp_path: Path
) -> None:
    for number in range(40):
        add(f"{number // 10}/{number:02d}.mp3")
    one(store, top)
    for number in (3, 30):
        add(f"{number // 10}/{number:02d}.mp3", title="Changed")
    left = iter(range(40))

    def pull(_: int) -> None:
        if next(left) == 15:
            top.rename(tmp_path / "pulled")
            top.mkdir()  # the empty folder that a stick was mounted on

    report = one(store, top, progress=pull)
    assert not report.complete
    assert "was it pulled out?" in report.note
    assert (report.gone, report.changed) == (0, 1)
    assert len(list(store.rows())) == 40
    top.rmdir()
    (tmp_path / "pulled").rename(top)
    assert counts(one(store, top)) == (0, 1, 39, 0, 0)


def test_files_that_vanish_on_the_way_are_gone_and_no_problem(
    store: Store, top: Path, add: Callable[..., Path]
) -> None:
    for name in ("a", "b", "c"):
        add(f"{name}.mp3")
    left = iter(range(3))

    def unlink(_: int) -> None:
        if next(left) == 0:
            (top / "b.mp3").unlink()

    report = one(store, top, progress=unlink)
    assert (report.complete, counts(report)) == (True, (2, 0, 0, 0, 0))


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[bytes], bool]], None]:
    """A disk that refuses some files: no real one can be had."""
    read = source_scan.read_tags

    def install(number: int, which: Callable[[bytes], bool]) -> None:
        def refuse(path: bytes) -> object:
            if which(path):
                raise OSError(number, os.strerror(number))
            return read(path)

        monkeypatch.setattr(source_scan, "read_tags", refuse)

    return install


def test_a_scan_ends_when_the_disk_refuses_all(
    store: Store,
    top: Path,
    add: Callable[..., Path],
    failing: Callable[[int, Callable[[bytes], bool]], None],
) -> None:
    for number in range(9):
        add(f"{number}.mp3")
    failing(errno.EIO, lambda path: path[-5:-4] >= b"2")
    report = one(store, top)
    assert not report.complete
    assert "Input/output error: was it pulled out?" in report.note
    assert (report.new, report.unreadable) == (2, 3)
    assert {row.problem for row in store.rows()} == {""}


def test_a_track_stays_when_the_disk_refuses_it_alone(
    store: Store,
    top: Path,
    add: Callable[..., Path],
    failing: Callable[[int, Callable[[bytes], bool]], None],
) -> None:
    for number in range(9):
        add(f"{number}.mp3")
    one(store, top)
    for number in range(9):
        add(f"{number}.mp3", title="Changed")
    failing(errno.EIO, lambda path: path.endswith(b"5.mp3"))
    report = one(store, top)
    assert (report.complete, counts(report)) == (True, (0, 8, 0, 0, 1))
    assert rows(store, top)["5.mp3"].problem == ""


def test_a_file_is_tried_again_when_only_its_rights_were_wrong(
    store: Store,
    top: Path,
    add: Callable[..., Path],
    failing: Callable[[int, Callable[[bytes], bool]], None],
) -> None:
    add("x.mp3")
    failing(errno.EACCES, lambda _: True)
    report = one(store, top)
    assert (report.complete, counts(report)) == (True, (0, 0, 0, 0, 1))
    assert rows(store, top)["x.mp3"].problem == "Permission denied"
    failing(errno.EACCES, lambda _: False)
    assert counts(one(store, top)) == (0, 1, 0, 0, 0)
    assert rows(store, top)["x.mp3"].problem == ""


def test_tracks_stay_when_their_folder_cannot_be_listed(
    store: Store, top: Path, add: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("0.mp3", "open/1.mp3", "shut/1.mp3", "shut/below/2.mp3", "shut2/3.mp3"):
        add(path)
    one(store, top)
    (top / "open" / "1.mp3").unlink()
    (top / "shut2" / "3.mp3").unlink()
    listed = os.scandir

    def refuse(path: bytes) -> object:
        if path.endswith(b"/shut"):  # root may list everything
            raise PermissionError(errno.EACCES, "Permission denied")
        return listed(path)

    monkeypatch.setattr(os, "scandir", refuse)
    report = one(store, top)
    assert (report.complete, report.gone, report.unreadable) == (True, 2, 1)
    assert set(rows(store, top)) == {"0.mp3", "shut/1.mp3", "shut/below/2.mp3"}


def test_a_part_of_a_source_makes_no_second_track(
    store: Store, top: Path, add: Callable[..., Path]
) -> None:
    add("a/1.mp3")
    one(store, top)
    add("new/2.mp3")
    report = one(store, top / "new")
    assert (counts(report), report.folder) == ((1, 0, 1, 0, 0), os.fsencode(top))
    assert str(top / "new") in report.note
    assert len(store.sources()) == 1


def test_a_source_inside_another_makes_no_second_track(
    store: Store, top: Path, add: Callable[..., Path]
) -> None:
    add("stick/1.mp3")
    add("2.mp3")
    one(store, top / "stick")
    both = scan(store, [top]).sources
    assert [counts(report) for report in both] == [(1, 0, 0, 0, 0), (0, 0, 1, 0, 0)]
    assert len(list(store.rows())) == 2


def test_a_folder_without_music_is_no_source(store: Store, top: Path) -> None:
    top.mkdir()
    report = one(store, top)
    assert (report.complete, report.note) == (True, "no music there")
    assert store.sources() == ()


def test_music_can_be_played_before_the_scan_ends(
    store: Store, top: Path, add: Callable[..., Path], tmp_path: Path
) -> None:
    for number in range(300):
        add(f"{number}.mp3")
    seen: list[int] = []
    now_s = 0.0

    def look(_: int) -> None:
        nonlocal now_s
        now_s += 1.0
        if now_s == 200.0:
            index = open_index(tmp_path / "index.sqlite")
            seen.append(len(index.shelf()))
            index.close()

    scan(store, [top], progress=look, clock=lambda: now_s)
    assert 100 < seen[0] < 200
    index = open_index(tmp_path / "index.sqlite")
    assert len(index.shelf()) == 300
    index.close()


def test_no_shelf_is_published_when_nothing_changed(
    store: Store, top: Path, add: Callable[..., Path], tmp_path: Path
) -> None:
    add("x.mp3")
    one(store, top)
    index = open_index(tmp_path / "index.sqlite")
    index.shelf()
    one(store, top)
    assert not index.changed()
    (top / "x.mp3").unlink()
    add("y.mp3")
    one(store, top)
    assert index.changed()
    index.close()


def test_what_was_found_stays_when_a_person_interrupts(
    store: Store, top: Path, add: Callable[..., Path]
) -> None:
    for number in range(20):
        add(f"{number:02d}.mp3")
    left = iter(range(20))

    def interrupt(_: int) -> None:
        if next(left) == 11:
            raise KeyboardInterrupt

    report = scan(store, [top, top.parent / "never"], progress=interrupt)
    assert report.interrupted
    assert [counts(source) for source in report.sources] == [(12, 0, 0, 0, 0)]
    assert counts(one(store, top)) == (8, 0, 12, 0, 0)


KILLED = """
import os, signal, sys
from pathlib import Path
from moodride.intake.scan import scan
from moodride.library.store import Store

left = int(sys.argv[3])
def count(files):
    global left
    left -= files
    if left <= 0:
        os.kill(os.getpid(), signal.SIGKILL)
with Store(Path(sys.argv[1])) as store:
    scan(store, [Path(sys.argv[2])], progress=count)
"""


def test_a_scan_goes_on_where_it_was_killed(
    tmp_path: Path, top: Path, sounds: dict[str, Path]
) -> None:
    music_tree.many_files(top, sounds, files=900)
    for after in (300, 700):
        command = [
            sys.executable,
            "-c",
            KILLED,
            str(tmp_path / "index.sqlite"),
            str(top),
            str(after),
        ]
        assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    with Store(tmp_path / "index.sqlite") as store:
        report = one(store, top)
        assert report.complete
        assert (report.new + report.unchanged, report.changed, report.gone) == (900, 0, 0)
        assert report.unchanged >= 512
        assert len(list(store.rows())) == 900


def test_memory_stays_small_when_there_are_thousands(
    store: Store, top: Path, sounds: dict[str, Path]
) -> None:
    music_tree.many_files(top, sounds, files=900)
    held: list[int] = []
    done = 0

    def watch(files: int) -> None:
        nonlocal done
        done += files
        if done % 300 == 299:
            held.append(tracemalloc.get_traced_memory()[0])

    tracemalloc.start()
    try:
        report = one(store, top, progress=watch)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert report.new == 900
    assert held[2] - held[1] < 100_000, held
    assert peak < 2_000_000
