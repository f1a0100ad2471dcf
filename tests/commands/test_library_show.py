"""`moodride library list|show|stats|set-mood|forget`, on a real index."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from library_pages_kit import Shelves, record

from moodride.errors import CatalogueError, StorageError
from moodride.library.reading import open_index
from moodride.library.records import Claim, MoodSource, Sound
from moodride.library.store import Store
from moodride.types import MOODS, Mood


@pytest.fixture
def shelves(tmp_path: Path) -> Shelves:
    return Shelves(tmp_path)


@pytest.fixture
def filled(shelves: Shelves) -> Shelves:
    shelves.add(
        [
            record("a.flac", mood=Mood.CALM, artist="Björk", title="Jóga", album="Homogenic"),
            record("b.flac", mood=Mood.HAPPY, artist="Linden Court", title="Rain"),
            record("c.flac", mood=Mood.HAPPY, artist="Linden Court", title="Sun"),
            record("d.flac", artist="坂本龍一", title="戦場のメリークリスマス", length_s=None),
            record(b"zzz/\xff\x1b[31m\xe2\x80\xae.mp3", problem="cut off in the middle"),
        ]
    )
    return shelves


# --- list -----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [("list",), ("stats",)])
def test_next_step_is_said_when_there_is_no_index(
    shelves: Shelves, command: tuple[str, ...]
) -> None:
    assert "moodride library scan FOLDER" in shelves.said(*command)
    assert not shelves.index.exists()  # a look leaves nothing behind


@pytest.mark.parametrize("command", [("list",), ("stats",)])
def test_next_step_is_said_when_the_index_is_empty(
    shelves: Shelves, command: tuple[str, ...]
) -> None:
    Store(shelves.index).close()
    said = shelves.said(*command)
    assert "The index is empty" in said
    assert "moodride library scan FOLDER" in said


def test_list_shows_what_counts_when_there_is_music(filled: Shelves) -> None:
    said = filled.said("list")
    (line,) = [line for line in said.splitlines() if "Jóga" in line]
    assert line.split()[1:] == ["Björk", "Jóga", "Calm", "80", "%", "tag", "4:00"]
    assert "5 tracks." in said
    assert "unknown" in said
    assert "problem" in said


@pytest.mark.parametrize("columns", [80, 100, 132, 200])
def test_lines_fit_when_the_terminal_is_so_wide(filled: Shelves, columns: int) -> None:
    long_names = {"artist": "x" * 300, "title": "y" * 300, "album": "z" * 300}
    filled.add([record("long.flac", mood=Mood.SAD, **long_names)], folder=filled.music / "long")
    from rich.cells import cell_len

    said = filled.said("list", columns=columns)
    assert max(map(cell_len, said.splitlines())) <= columns
    assert ("Homogenic" in said) is (columns >= 110)
    (long,) = [line for line in said.splitlines() if "xxx" in line]
    assert "yyy" in long  # one long name takes nothing from the other


def test_odd_names_harm_no_terminal_when_shown(filled: Shelves) -> None:
    for command in (("list",), ("list", "--problems"), ("show", "zzz")):
        said = filled.said(*command)
        assert "\x1b" not in said
        assert "\u202e" not in said
        assert "\ufffd" in said
        said.encode("utf-8")


def test_odd_names_come_through_whole_when_asked_for_data(filled: Shelves) -> None:
    (row,) = filled.data("list", "zzz")
    assert os.fsencode(row["path"]).endswith(b"/zzz/\xff\x1b[31m\xe2\x80\xae.mp3")


@pytest.mark.parametrize(
    ("options", "titles"),
    [
        (["joga"], {"Jóga"}),
        (["linden", "sun"], {"Sun"}),
        (["--mood", "happy"], {"Rain", "Sun"}),
        (["--source", "tag"], {"Jóga", "Rain", "Sun"}),
        (["--source", "hand"], set()),
        (["--problems"], {""}),
        (["--limit", "2"], {"Jóga", "Rain"}),
    ],
)
def test_list_keeps_to_what_was_asked_when_filtered(
    filled: Shelves, options: list[str], titles: set[str]
) -> None:
    assert {row["tags"]["title"] for row in filled.data("list", *options)} == titles


def test_problems_are_told_with_their_files_when_asked(filled: Shelves) -> None:
    said = filled.said("list", "--problems")
    assert "cut off in the middle" in said
    assert "1 track." in said


def test_table_stops_after_a_hundred_when_there_are_more(shelves: Shelves) -> None:
    shelves.add(record(f"{n}.flac", title=f"t{n}") for n in range(102))
    said = shelves.said("list")
    assert "t99 " in said
    assert "t100 " not in said
    assert "--limit 0 all of them" in said
    assert len(shelves.data("list")) == 102
    assert "102 tracks." in shelves.said("list", "--limit", "0")


def test_brackets_in_names_stay_text_when_shown(shelves: Shelves) -> None:
    shelves.add([record("x.flac", title="[red]no[/red] :smile:", mood=Mood.SAD)])
    assert "[red]no[/red] :smile:" in shelves.said("list", columns=140)
    assert "[red]no[/red] :smile:" in shelves.said("show", "smile")


def test_nothing_is_said_plainly_when_nothing_fits(filled: Shelves) -> None:
    assert filled.said("list", "no such thing") == "0 tracks.\n"
    assert filled.data("list", "no such thing") == []


# --- show -----------------------------------------------------------------------------------


def track_id(shelves: Shelves, text: str) -> str:
    (row,) = shelves.data("list", text)
    found = row["track_id"]
    assert isinstance(found, str)
    return found


def test_all_is_told_when_a_track_is_shown(filled: Shelves) -> None:
    wanted = track_id(filled, "joga")
    heard = Claim(
        source=MoodSource.SOUND,
        mood=Mood.SAD,
        confidence=0.61,
        valence=0.3,
        energy=0.42,
        note="sadness 0.61, calmness 0.22",
    )
    with Store(filled.index) as store:
        store.claim(wanted, heard)
        sound = Sound(
            loudness_db=-12.3, range_lu=7.4, peak_db=-0.3, tempo_bpm=81.2, key=9, minor=True
        )
        store.set_sound(wanted, sound)
    said = filled.said("show", wanted)
    for word in (
        "Björk - Jóga",
        wanted,
        str(filled.music / "a.flac"),
        "Homogenic",
        "4:00",
        "81 beats a minute",
        "A minor",
        "-12.3 LUFS, peak -0.3 dB, range 7.4 LU",
        "Calm, 80 % sure, by tag",
        "valence 0.12, energy 0.12",  # the centre of Calm: the sound is not believed
        "sadness 0.61, calmness 0.22",
    ):
        assert word in said, word
    first, second = (line for line in said.splitlines() if " 80 %  " in line or " 61 %  " in line)
    assert first.startswith("->")
    assert "tag" in first
    assert not second.startswith("->")


@pytest.mark.parametrize("way", ["id", "beginning", "path", "words"])
def test_track_is_found_when_it_is_meant_this_way(filled: Shelves, way: str) -> None:
    wanted = track_id(filled, "joga")
    asked = {
        "id": [wanted],
        "beginning": [wanted[:8]],
        "path": [str(filled.music / "a.flac")],
        "words": ["björk", "JOGA"],
    }[way]
    assert filled.data("show", *asked)["track_id"] == wanted


def test_candidates_are_named_when_several_fit(filled: Shelves) -> None:
    with pytest.raises(CatalogueError, match="several tracks fit: .*Rain, .*Sun; give the id"):
        filled.run("show", "linden")


@pytest.mark.parametrize("wanted", ["no such thing", "", " ", "\x00", "\ud800", "f" * 9999, "%"])
def test_unknown_track_is_one_line_when_shown(filled: Shelves, wanted: str) -> None:
    with pytest.raises(CatalogueError) as raised:
        filled.run("show", wanted)
    assert len(str(raised.value)) < 400
    str(raised.value).encode("utf-8")


@pytest.mark.parametrize("command", [("show", "x"), ("set-mood", "x", "sad"), ("forget", "1")])
def test_missing_index_is_one_line_when_a_track_is_wanted(
    shelves: Shelves, command: tuple[str, ...]
) -> None:
    with pytest.raises(CatalogueError, match="no index yet; run `moodride library scan"):
        shelves.run(*command)
    assert not shelves.index.exists()


# --- set-mood -------------------------------------------------------------------------------


def test_daemon_gets_the_new_mood_when_it_is_set_by_hand(filled: Shelves) -> None:
    index = open_index(filled.index)
    index.shelf()
    wanted = track_id(filled, "joga")
    said = filled.said("set-mood", "joga", "energetic")
    assert said == "Björk - Jóga: Energetic, 100 % sure, by hand (was: Calm, 80 % sure, by tag)\n"
    assert index.changed()
    shelf = index.shelf()
    position = shelf.find(wanted)
    assert position is not None
    assert MOODS[shelf.moods[position]] is Mood.ENERGETIC
    index.close()


def test_word_of_the_owner_stays_when_the_track_is_scanned_again(filled: Shelves) -> None:
    filled.said("set-mood", "joga", "Sad")
    filled.add([record("a.flac", mood=Mood.CALM, artist="Björk", title="Jóga")])
    assert filled.data("show", "joga")["mood"] == "Sad"


def test_earlier_word_counts_again_when_it_is_taken_back(filled: Shelves) -> None:
    filled.said("set-mood", "joga", "Sad")
    assert "Calm, 80 % sure, by tag (was: Sad" in filled.said("set-mood", "joga", "--undo")
    assert filled.said("set-mood", "joga", "--undo") == "Björk - Jóga: Calm, 80 % sure, by tag\n"


@pytest.mark.parametrize("arguments", [(), ("sad", "--undo"), ("angry",)])
def test_wrong_usage_is_refused_when_a_mood_is_set(
    filled: Shelves, arguments: tuple[str, ...]
) -> None:
    assert filled.run("set-mood", "joga", *arguments).exit_code == 2
    assert filled.data("show", "joga")["mood"] == "Calm"


# --- stats ----------------------------------------------------------------------------------


def test_moods_are_added_up_when_there_is_music(filled: Shelves) -> None:
    found = filled.data("stats")
    assert {one["mood"]: one["tracks"] for one in found["moods"]} == {
        "Happy": 2,
        "Sad": 0,
        "Calm": 1,
        "Energetic": 0,
    }
    assert found["unknown"]["tracks"] == 1
    assert found["tracks"] == 4
    assert found["hours"] == pytest.approx(12 / 60)
    (source,) = found["sources"]
    assert (source["tracks"], source["here"]) == (5, True)


def test_table_says_where_moods_are_from_when_printed(filled: Shelves) -> None:
    filled.said("set-mood", "rain", "happy")
    said = filled.said("stats")
    (line,) = [line for line in said.splitlines() if line.startswith("Happy  ")]
    assert "hand 50 %" in line
    assert "tag 50 %" in line
    assert "75 % have a mood" in said
    assert "1 of 5 files cannot be played: moodride library list --problems" in said


@pytest.mark.parametrize(
    ("tracks", "length_s", "thin"),
    [
        (15, 300.0, False),  # 75 minutes: 12 tracks, an hour, until the first comes again
        (15, 299.0, True),
        (14, 300.0, True),
        (4, 3600.0, False),  # 3 tracks of an hour
        (1, 7200.0, True),  # long, but always the same
        (0, 0.0, True),
    ],
)
def test_thin_mood_is_named_when_it_repeats_within_the_hour(
    shelves: Shelves, tracks: int, length_s: float, *, thin: bool
) -> None:
    shelves.add(record(f"{n}.flac", mood=Mood.SAD, length_s=length_s) for n in range(tracks))
    shelves.add([record("other.flac", mood=Mood.HAPPY)], folder=shelves.music / "other")
    found = shelves.data("stats")["warnings"]
    assert any("Sad" in line for line in found) is thin


def test_moods_are_named_once_when_several_are_too_little(filled: Shelves) -> None:
    none, thin, *_ = filled.data("stats")["warnings"]
    assert none == "No music at all: Sad, Energetic; other moods play in their place."
    assert thin.startswith(
        "Too thin for a drive: Happy (repeats after 4 min), Calm (repeats after 0 min)."
    )


def test_analysis_is_advised_when_many_moods_are_unknown(shelves: Shelves) -> None:
    shelves.add(record(f"{n}.flac", mood=Mood.SAD if n else None) for n in range(9))
    assert any("--analyse" in line for line in shelves.data("stats")["warnings"])
    shelves.add(record(f"{n}.flac", mood=Mood.SAD if n else None) for n in range(11))
    assert not any("--analyse" in line for line in shelves.data("stats")["warnings"])


def test_stick_that_is_out_is_marked_when_listed(shelves: Shelves, tmp_path: Path) -> None:
    shelves.add([record("a.flac", mood=Mood.SAD)], folder=tmp_path / "gone", label="SUMMER")
    said = shelves.said("stats", columns=140)
    assert "SUMMER" in said
    assert "(not there now)" in said


# --- forget ---------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["number", "label", "folder"])
def test_source_is_gone_from_the_shelf_when_forgotten(
    filled: Shelves, tmp_path: Path, way: str
) -> None:
    folder = tmp_path / "stick"
    filled.add([record("s.flac", mood=Mood.SAD, title="Stick")], folder=folder, label="SUMMER")
    asked = {"number": "2", "label": "SUMMER", "folder": str(folder)}[way]
    assert "with 1 tracks; no file was touched" in filled.said("forget", asked)
    assert filled.data("list", "stick") == []
    index = open_index(filled.index)
    assert len(index.shelf()) == 4
    index.close()


def test_unknown_source_is_one_line_when_forgotten(filled: Shelves) -> None:
    for wanted in ("9", "", "nowhere"):
        with pytest.raises(CatalogueError, match="no such source"):
            filled.run("forget", wanted)
    assert len(filled.data("list")) == 5


def test_two_sources_of_one_name_are_one_line_when_forgotten(
    shelves: Shelves, tmp_path: Path
) -> None:
    for name in ("one", "two"):
        shelves.add([record("a.flac")], folder=tmp_path / name, label="NO NAME")
    with pytest.raises(CatalogueError, match="2 sources are called that; take its number"):
        shelves.run("forget", "NO NAME")


# --- trouble --------------------------------------------------------------------------------


def test_right_to_use_sudo_is_advised_when_the_index_is_anothers(filled: Shelves) -> None:
    filled.index.parent.chmod(0o755)
    filled.index.chmod(0o600)
    if os.getuid() != 0:
        pytest.skip("needs root, to be somebody else")
    for folder in (filled.index, *filled.index.parents):
        if folder.stat().st_mode & 0o005 != 0o005 and folder.is_dir():
            folder.chmod(folder.stat().st_mode | 0o055)
    code = (
        "import os; from pathlib import Path; from moodride.config import load_config\n"
        "from moodride.commands.library_list import list_tracks\n"
        f"loaded = load_config([Path({str(filled.config)!r})])\n"
        "os.setuid(65534)\n"
        "list_tracks(loaded)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "library.sqlite: permission denied; use sudo" in done.stderr


def test_foreign_file_is_refused_and_left_alone_when_it_is_no_index(shelves: Shelves) -> None:
    import sqlite3
    from contextlib import closing

    shelves.index.parent.mkdir()
    with closing(sqlite3.connect(shelves.index)) as db:
        db.execute("CREATE TABLE letters (dear TEXT)")
    before = shelves.index.read_bytes()
    with pytest.raises(StorageError, match="another program"):
        shelves.run("list")
    assert shelves.index.read_bytes() == before


# --- the manual -----------------------------------------------------------------------------


def test_commands_are_there_when_the_manual_names_them() -> None:
    from moodride.cli_library import library

    manual = (Path(__file__).parents[2] / "docs" / "library.md").read_text(encoding="utf-8")
    named = re.findall(r"moodride library ([a-z-]+)([^`\n]*)", manual)
    assert {"scan", "import", "list", "show", "stats", "set-mood", "forget"} <= {
        n for n, _ in named
    }
    for name, rest in named:
        options = {option for each in library.commands[name].params for option in each.opts}
        assert set(re.findall(r"--[a-z-]+", rest)) <= options, f"{name}{rest}"
