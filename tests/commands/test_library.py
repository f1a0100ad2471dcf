"""Where the music is from, as media come and go."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
from library_kit import fill_store, made_up_index
from service_kit import make_library

from moodride.commands.library import Library, find_music
from moodride.commands.presence import Presence
from moodride.errors import CatalogueError, StorageError
from moodride.library.store import Store
from moodride.settings import Config
from moodride.validate import validated

SHIPPED = Config().library.catalogue


def config_of(tmp_path: Path, catalogue: Path | str | None = None) -> Config:
    library = {"index": str(tmp_path / "library.sqlite")}
    if catalogue:
        library["catalogue"] = str(catalogue)
    return validated({"library": library})


def medium(folder: Path) -> Path:
    """A folder with something in it."""
    folder.mkdir(parents=True)
    (folder / "a.mp3").write_bytes(b"x")
    return folder


def test_index_goes_before_the_catalogue_when_its_music_is_there(tmp_path: Path) -> None:
    config = config_of(tmp_path, make_library(tmp_path / "csv", seconds=0.1, each=1))
    assert len(find_music(config).shelf) == 4
    made_up_index(tmp_path / "library.sqlite", 10, folder=medium(tmp_path / "stick"))
    music = find_music(config)
    assert (len(music.shelf), music.where) == (10, tmp_path / "library.sqlite")
    assert not music.substitute


@pytest.mark.parametrize("gone", ["pulled out", "unmounted"])
def test_catalogue_plays_while_the_stick_is_away(tmp_path: Path, gone: str) -> None:
    config = config_of(tmp_path, make_library(tmp_path / "csv", seconds=0.1, each=1))
    stick = medium(tmp_path / "stick")
    made_up_index(tmp_path / "library.sqlite", 10, folder=stick)
    library = Library(config)
    assert len(library.load().shelf) == 10
    assert not library.changed()
    shutil.rmtree(stick)
    if gone == "unmounted":
        stick.mkdir()
    assert library.changed()
    assert len(library.load().shelf) == 4
    assert not library.changed()
    shutil.rmtree(stick, ignore_errors=True)
    medium(stick)
    assert library.changed()
    assert len(library.load().shelf) == 10


def test_one_of_two_sticks_when_pulled_out_takes_its_tracks_along(tmp_path: Path) -> None:
    first, second = medium(tmp_path / "first"), medium(tmp_path / "second")
    with Store(tmp_path / "library.sqlite") as store:
        fill_store(store, first, 10, medium="A")
        fill_store(store, second, 6, medium="B", first=50)
    library = Library(config_of(tmp_path))
    assert len(library.load().shelf) == 16
    shutil.rmtree(first)
    music = library.load()
    assert (len(music.shelf), music.away) == (6, (str(first),))
    assert {music.shelf.track(n).path.split("/Artist")[0] for n in range(6)} == {str(second)}


def test_scan_that_publishes_more_is_noticed(tmp_path: Path) -> None:
    stick = medium(tmp_path / "stick")
    path = made_up_index(tmp_path / "library.sqlite", 10, folder=stick)
    library = Library(config_of(tmp_path))
    shelf = library.load().shelf
    with Store(path) as store:
        fill_store(store, stick, 12)
    assert library.changed()
    assert len(library.load().shelf) == 12
    assert not library.changed()
    assert shelf.track(3).artist, "what was drawn from the shelf before can still be named"


def test_demo_library_stands_in_for_a_stick_that_is_away(tmp_path: Path) -> None:
    stick = medium(tmp_path / "stick")
    made_up_index(tmp_path / "library.sqlite", 10, folder=stick)
    shutil.rmtree(stick)
    library = Library(config_of(tmp_path))
    music = library.load()
    assert music.substitute, "so that the stick's resume point stays"
    assert str(stick) in music.problems[0]
    with pytest.raises(CatalogueError, match="plug it in"):
        library.find()
    medium(stick)
    assert len(library.find().shelf) == 10


def test_first_stick_of_a_fresh_car_is_noticed(tmp_path: Path) -> None:
    library = Library(config_of(tmp_path))
    assert library.load().shelf.source_names == ("",), "the music that came with Moodride"
    assert not library.changed()
    made_up_index(tmp_path / "library.sqlite", 10, folder=medium(tmp_path / "stick"))
    assert library.changed()
    assert len(library.load().shelf) == 10


def test_damaged_index_is_said_once_and_the_catalogue_plays(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "library.sqlite").write_bytes(b"no index at all" * 1000)
    library = Library(config_of(tmp_path))
    music = library.load()
    assert music.substitute
    (problem,) = music.problems
    assert "library.sqlite" in problem
    for _ in range(3):
        assert not library.changed()
    assert len([r for r in caplog.records if "left alone" in r.getMessage()]) == 1
    (tmp_path / "library.sqlite").unlink()
    made_up_index(tmp_path / "library.sqlite", 10, folder=medium(tmp_path / "stick"))
    assert library.changed()
    assert len(library.load().shelf) == 10


def test_nothing_anywhere_is_one_clear_line(tmp_path: Path) -> None:
    config = config_of(tmp_path, tmp_path / "none.csv")
    with pytest.raises(CatalogueError, match="No such file") as error:
        find_music(config)
    assert "\n" not in str(error.value)
    assert Library(config).load().substitute, "then the music that came with Moodride plays"


def test_tracks_cannot_be_asked_for_after_closing(tmp_path: Path) -> None:
    made_up_index(tmp_path / "library.sqlite", 4, folder=medium(tmp_path / "stick"))
    library = Library(config_of(tmp_path))
    shelf = library.load().shelf
    library.close()
    with pytest.raises(StorageError):
        shelf.track(0)


def test_tracks_that_are_damaged_under_a_whole_shelf_make_the_demo_library_play(
    tmp_path: Path,
) -> None:
    path = made_up_index(tmp_path / "library.sqlite", 40, folder=medium(tmp_path / "stick"))
    spoil_tracks(path)
    library = Library(config_of(tmp_path))
    music = library.load()
    assert music.substitute
    assert "library.sqlite" in music.problems[0]
    assert not any(library.changed() for _ in range(3)), "said once"
    path.unlink()
    made_up_index(path, 10, folder=tmp_path / "stick")
    assert library.changed()
    assert len(library.load().shelf) == 10


def spoil_tracks(path: Path) -> None:
    """Fill the pages of the table with what is none."""
    with closing(sqlite3.connect(path)) as db:
        (size,) = db.execute("PRAGMA page_size").fetchone()
        query = "SELECT rootpage FROM sqlite_schema WHERE name = 'tracks'"
        (page,) = db.execute(query).fetchone()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


def test_index_that_a_tool_holds_is_no_news_and_nobody_waits_long(tmp_path: Path) -> None:
    path = made_up_index(tmp_path / "library.sqlite", 40, folder=medium(tmp_path / "stick"))
    library = Library(config_of(tmp_path))
    shelf = library.load().shelf
    with closing(sqlite3.connect(path, isolation_level=None)) as tool:
        tool.execute("BEGIN EXCLUSIVE")
        for position in range(4):
            with pytest.raises(StorageError):
                shelf.track(position)
        assert not library.changed()
        tool.execute("ROLLBACK")
    assert not library.changed()
    assert shelf.track(0).artist


def test_medium_that_hangs_counts_as_away_and_tracks_can_be_asked_for(tmp_path: Path) -> None:
    first, second = medium(tmp_path / "first"), medium(tmp_path / "second")
    with Store(tmp_path / "library.sqlite") as store:
        fill_store(store, first, 10, medium="A")
        fill_store(store, second, 6, medium="B", first=50)
    free = threading.Event()
    presence = Presence(look=lambda folder: folder == str(second) or free.wait(30.0))
    library = Library(config_of(tmp_path), presence)
    music = library.load()
    assert (len(music.shelf), music.away) == (6, (str(first),))
    assert not library.changed()
    assert music.shelf.track(0).path.startswith(str(second))
    free.set()
    while not library.changed():
        pass
    assert len(library.load().shelf) == 16


def test_index_that_may_not_be_read_is_one_line_and_the_catalogue_plays(tmp_path: Path) -> None:
    folder = tmp_path / ("x" * 300)  # no name may be so long, whoever asks
    config = validated({"library": {"index": str(folder / "library.sqlite")}})
    library = Library(config)
    music = library.load()
    assert music.substitute
    assert "\n" not in music.problems[0]
    assert not library.changed()


def test_broken_shelf_beside_a_catalogue_of_ones_own_is_no_news_every_time(tmp_path: Path) -> None:
    catalogue = make_library(tmp_path / "csv", seconds=0.1, each=1)
    path = made_up_index(tmp_path / "library.sqlite", 10, folder=medium(tmp_path / "stick"))
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE shelf SET crc = crc + 1")
        db.commit()
    library = Library(config_of(tmp_path, catalogue))
    music = library.load()
    assert len(music.shelf) == 4
    assert music.own
    assert not any(library.changed() for _ in range(3))


def test_music_that_came_with_moodride_is_not_the_owners(tmp_path: Path) -> None:
    assert not Library(config_of(tmp_path)).load().own
