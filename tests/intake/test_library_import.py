from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from library_pages_kit import Shelves, record

from moodride.errors import CatalogueError
from moodride.library.records import LinkState
from moodride.library.store import Store
from moodride.types import Mood

HEADER = "id,name,artist,length,energy,valence,mood\n"
SONGS = (
    HEADER + "song-morning,Morning Road,The Wheels,240000,0.1,0.2,Calm\n"
    "song-evening,Evening Road,The Wheels,240000,0.9,0.4,Energetic\n"
    "song-none,Nowhere,Nobody,240000,0.5,0.5,Sad\n"
)


@pytest.fixture
def shelves(tmp_path: Path) -> Shelves:
    made = Shelves(tmp_path)
    made.add(
        [
            record("1.mp3", title="Morning Road (Remastered 2011)", artist="Wheels"),
            record("2.flac", title="Morning road", artist="The Wheels"),
            record("3.mp3", title="Evening Road - Live", artist="The Wheels"),
            record("4.mp3", title="Something", artist="Else", mood=Mood.HAPPY),
        ]
    )
    return made


def catalogue(tmp_path: Path, text: str = SONGS) -> Path:
    path = tmp_path / "songs.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_match_rate_and_doubtful_pairs_are_shown_when_a_catalogue_is_imported(
    shelves: Shelves, tmp_path: Path
) -> None:
    said = shelves.said("import", catalogue(tmp_path), columns=120)
    assert "songs.csv (data_moods.csv): 3 of 3 rows are songs" in said
    assert "Of 3 songs 1 (33 %) have a file." in said
    assert "Files with a song: 2 of 4" in said
    assert "Doubtful pairs: 1" in said
    (track,) = (row["track_id"] for row in shelves.data("links", "--doubtful"))
    page = [line.rstrip() for line in said.splitlines()]
    first = next(n for n, line in enumerate(page) if "The Wheels - Evening Road " in line)
    assert page[first].endswith("song-evening")
    assert "the song is plain, the file live" in page[first]
    assert "The Wheels - Evening Road - Live" in page[first + 1]
    assert page[first + 1].endswith(track[:8])
    assert "moodride library pin SONG TRACK" in said


def test_the_mood_of_the_song_is_the_files_when_they_belong_together(
    shelves: Shelves, tmp_path: Path
) -> None:
    shelves.said("import", catalogue(tmp_path))
    with Store(shelves.index) as store:
        rows = {Path(row.path).name: row for row in store.rows()}
    assert rows["1.mp3"].mood is rows["2.flac"].mood is Mood.CALM
    assert (rows["2.flac"].valence, rows["2.flac"].energy) == (0.2, 0.1)
    assert rows["3.mp3"].mood is None
    assert rows["4.mp3"].mood is Mood.HAPPY


def test_everything_is_said_as_data_when_json_is_asked_for(
    shelves: Shelves, tmp_path: Path
) -> None:
    bad = "".join(f"x{n},a,b,1,2,3,Angry\n" for n in range(30))
    told = shelves.data("import", catalogue(tmp_path, SONGS + bad))
    assert (told["rows"], told["songs"], told["bad"], told["repeated"]) == (33, 3, 30, 0)
    assert len(told["faults"]) == 30 * 4
    first = told["faults"][0]
    assert (first["line"], first["column"]) == (5, "length")
    assert first["remedy"] == "use milliseconds, from 1000 to 86400000"
    assert (told["match"]["matched"], told["match"]["linked"]) == (1, 2)
    assert told["match"]["doubtful"][0]["state"] == "doubtful"


def test_the_first_bad_rows_are_shown_when_there_are_many(shelves: Shelves, tmp_path: Path) -> None:
    bad = "".join(f"x{n},a,b,,,,Angry\n" for n in range(30))
    said = shelves.said("import", catalogue(tmp_path, SONGS + bad), columns=120)
    assert "Left out 30 rows:" in said
    assert len(re.findall(r'"Angry" is no mood', said)) == 20
    assert "... and 10 more faults; --json shows them" in said
    assert re.search(r"^ +5 +mood +", said, re.MULTILINE)


def test_the_status_is_65_when_not_one_row_is_a_song(shelves: Shelves, tmp_path: Path) -> None:
    result = shelves.run("import", catalogue(tmp_path, HEADER + "x,a,b,,,,Angry\n"))
    assert result.exit_code == 65
    assert "0 of 1 rows are songs" in result.output
    again = shelves.run("import", catalogue(tmp_path, HEADER + "x,a,b,,,,Angry\n"), "--json")
    assert (again.exit_code, json.loads(again.output)["match"]) == (65, None)


def test_one_line_says_why_when_the_file_is_no_catalogue(shelves: Shelves, tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"songs\.csv, line 1: the columns"):
        shelves.run("import", catalogue(tmp_path, "one,two\n1,2\n"))
    with pytest.raises(CatalogueError, match="none.csv"):
        shelves.run("import", tmp_path / "none.csv")


def test_a_catalogue_is_kept_when_nothing_was_scanned_yet(tmp_path: Path) -> None:
    shelves = Shelves(tmp_path)
    said = shelves.said("import", catalogue(tmp_path))
    assert "There are no files to match yet." in said
    shelves.add([record("2.flac", title="Morning road", artist="The Wheels")])
    assert "Of 3 songs 1 (33 %) have a file." in shelves.said("match", columns=200)
    assert shelves.data("match")["matched"] == 1


def test_nothing_fails_when_there_is_no_index(tmp_path: Path) -> None:
    shelves = Shelves(tmp_path)
    assert "moodride library scan" in shelves.said("match")
    assert shelves.data("match")["songs"] == 0
    assert shelves.data("links") == []
    assert not shelves.index.exists()


def test_a_doubtful_pair_counts_when_it_is_pinned(shelves: Shelves, tmp_path: Path) -> None:
    shelves.said("import", catalogue(tmp_path))
    (pair,) = shelves.data("links", "--doubtful")
    said = shelves.said("pin", "song-ev", pair["track_id"][:8], columns=200)
    assert "is the song The Wheels - Evening Road" in said
    assert shelves.data("links", "--doubtful") == []
    assert "Nothing to decide." in shelves.said("links", "--doubtful")
    with Store(shelves.index) as store:
        row = store.row(pair["track_id"])
    assert (row.mood, row.song_id) == (Mood.ENERGETIC, "song-evening")
    assert shelves.data("match")["pinned"] == 1


def test_a_pair_is_never_offered_again_when_it_is_refused(shelves: Shelves, tmp_path: Path) -> None:
    shelves.said("import", catalogue(tmp_path))
    said = shelves.said("refuse", "song-morning", shelves.music / "1.mp3")
    assert "is not the song The Wheels - Morning Road" in said
    shelves.said("import", catalogue(tmp_path))
    states = {one["path"][-5:]: one["state"] for one in shelves.data("links")}
    assert states == {
        "1.mp3": LinkState.REFUSED,
        ".flac": LinkState.SURE,
        "3.mp3": LinkState.DOUBTFUL,
    }
    with Store(shelves.index) as store:
        assert store.row(str(shelves.music / "1.mp3")).mood is None


@pytest.mark.parametrize(
    ("song", "track", "says"),
    [
        ("song-", "1.mp3", "3 songs begin with it"),
        ("other", "1.mp3", "no such song"),
        ("", "1.mp3", "no such song"),
        ("song-none", "9.mp3", "no such track"),
        ("song-none", "road", "several tracks fit"),
    ],
)
def test_a_pair_is_refused_when_song_or_track_is_not_one(
    shelves: Shelves, tmp_path: Path, song: str, track: str, says: str
) -> None:
    shelves.said("import", catalogue(tmp_path))
    with pytest.raises(CatalogueError, match=says):
        shelves.run("pin", song, track)


def test_a_terminal_is_not_harmed_when_names_hold_anything(
    shelves: Shelves, tmp_path: Path
) -> None:
    shelves.add(
        [record(b"\xff\x1b[31m.mp3", title="Nowhere - Live [red]", artist="Nobody")],
        folder=tmp_path / "other",
    )
    said = shelves.said("import", catalogue(tmp_path), columns=120)
    assert "[red]" in said
    assert "\x1b" not in said
    assert "\x1b" not in shelves.said("links", columns=120)
