from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodride.errors import CatalogueError
from moodride.library import catalogue as room
from moodride.library.catalogue import COLUMNS, load_catalogue, missing_files
from moodride.types import Mood

GOOD = {
    "name": "Morning, early",
    "album": "Roads",
    "artist": "The Wheels",
    "id": "t1",
    "release_date": "2001-05",
    "popularity": "68",
    "length": "61500",
    "danceability": "0.8",
    "acousticness": "0.1",
    "energy": "0.7",
    "instrumentalness": "0.0",
    "liveness": "0.08",
    "valence": "0.6",
    "loudness": "-8.2",
    "speechiness": "0.07",
    "tempo": "118.5",
    "key": "5",
    "time_signature": "4",
    "mood": "Happy",
    "path": "music/one.opus",
}


def table(*rows: dict[str, str], columns: tuple[str, ...] = COLUMNS) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], Path]:
    def put(content: str | bytes) -> Path:
        path = tmp_path / "catalogue.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return put


Write = Callable[[str | bytes], Path]


def refused(path: Path) -> str:
    """The one line that a broken catalogue is refused with."""
    with pytest.raises(CatalogueError) as caught:
        load_catalogue(path)
    line = str(caught.value)
    assert "\n" not in line
    assert len(line) < 500
    assert caught.value.remedy
    return line.removeprefix(str(path))


def test_reads_every_value_when_the_catalogue_is_good(write: Write, tmp_path: Path) -> None:
    path = write(table(GOOD, GOOD | {"id": "t2", "path": "/media/two.mp3", "album": ""}))
    catalogue = load_catalogue(path)
    one, two = catalogue.tracks
    assert (one.id, one.name, one.artist, one.album) == (
        "t1",
        "Morning, early",
        "The Wheels",
        "Roads",
    )
    assert (one.mood, one.length_s, one.valence, one.energy) == (Mood.HAPPY, 61.5, 0.6, 0.7)
    assert (one.tempo_bpm, one.loudness_db) == (118.5, -8.2)
    assert one.path == str(tmp_path / "music/one.opus")
    assert (two.path, two.album) == ("/media/two.mp3", "")
    assert catalogue.by_id == {"t1": one, "t2": two}
    assert catalogue.by_path[two.path] is two
    assert catalogue.source == path


def test_makes_paths_absolute_when_opened_by_a_relative_name(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(table(GOOD))
    monkeypatch.chdir(tmp_path)
    assert load_catalogue("catalogue.csv").tracks[0].path == str(tmp_path / "music/one.opus")


def test_reads_the_same_when_dressed_otherwise(write: Write) -> None:
    plain = load_catalogue(write(table(GOOD))).tracks
    backwards = tuple(reversed((*COLUMNS, "genre")))
    for other in (
        "\ufeff" + table(GOOD),
        table(GOOD).replace("\r\n", "\n"),
        table(GOOD).replace("\r\n", "\r\n\r\n"),
        table(GOOD | {"genre": "road"}, columns=backwards),
        table(GOOD | {"mood": " Happy ", "valence": " 6e-1 "}),
        table(GOOD).rstrip(),
    ):
        assert load_catalogue(write(other)).tracks == plain


def test_keeps_names_as_they_are_written(write: Write) -> None:
    odd = {"name": 'Träumerei "夢" 🎵', "artist": "A; B", "path": "a, b=%20/ü 'x'.opus"}
    (track,) = load_catalogue(write(table(GOOD | odd))).tracks
    assert (track.name, track.artist) == (odd["name"], odd["artist"])
    assert track.path.endswith("/a, b=%20/ü 'x'.opus")


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("valence", "abc", '"abc" is no number; use a number from 0 to 1'),
        ("valence", "nan", '"nan" is no number'),
        ("energy", "-inf", '"-inf" is no number'),
        ("energy", "1.01", '"1.01" is out of range; use a number from 0 to 1'),
        ("valence", "0,5", '"0,5" is no number'),
        ("tempo", "-1", '"-1" is out of range'),
        ("tempo", "", "the cell is empty; fill it in"),
        ("length", "0", '"0" is out of range'),
        ("length", "9" * 5000, "the cell has 5000 characters"),
        ("loudness", "40", '"40" is out of range; use a number from -100 to 20'),
        ("key", "12", '"12" is out of range'),
        ("danceability", "x" * 300, f'"{"x" * 37}..." is no number'),
        ("mood", "happy", '"happy" is no mood; did you mean Happy?'),
        ("mood", "Energetik", '"Energetik" is no mood; did you mean Energetic?'),
        ("mood", "Blue", '"Blue" is no mood; use one of Happy, Sad, Calm, Energetic'),
        ("mood", "", "the cell is empty"),
        ("id", " ", "the cell is empty"),
        ("name", "", "the cell is empty"),
        ("artist", "", "the cell is empty"),
        ("path", "", "the cell is empty"),
        ("path", "a\0b.opus", "the cell holds a NUL character"),
        ("path", "a\nb.opus", "the path holds a control character"),
        ("path", "http://radio/x.mp3", '"http://radio/x.mp3" is an address'),
        ("path", "x" * 5000, "the cell has 5000 characters"),
    ],
)
def test_names_line_and_column_when_a_cell_is_wrong(
    write: Write, column: str, value: str, said: str
) -> None:
    path = write(table(GOOD, GOOD | {"id": "t2", column: value}))
    assert refused(path).startswith(f", line 3, column {column}: {said}")


def test_counts_lines_of_the_file_when_a_cell_has_several(write: Write) -> None:
    path = write(table(GOOD | {"name": "two\nlines"}, GOOD | {"id": "t2", "energy": "x"}))
    assert refused(path).startswith(", line 4, column energy:")


def test_names_both_lines_when_an_id_comes_twice(write: Write) -> None:
    path = write(table(GOOD, GOOD | {"id": "t2"}, GOOD))
    assert refused(path).startswith(', line 4, column id: the id "t1" stands in line 2 already')


def test_suggests_the_near_one_when_a_column_is_missing(write: Write) -> None:
    path = write(table(GOOD).replace("valence", "valance"))
    assert refused(path) == ', line 1: the column valence is missing; rename the column "valance"'


def test_says_add_it_when_a_column_is_missing_and_none_is_near(write: Write) -> None:
    path = write(table(GOOD, columns=COLUMNS[:-1]))
    assert refused(path) == ", line 1: the column path is missing; add it to the header"


def test_refuses_when_a_column_stands_twice(write: Write) -> None:
    path = write(table(GOOD, columns=(*COLUMNS, "mood")))
    assert refused(path).startswith(", line 1: the column mood stands there 2 times")


def test_says_how_many_cells_when_a_row_is_short_or_long(write: Write) -> None:
    assert refused(write(table(GOOD) + "a,b\r\n")).startswith(
        ", line 3: the row has 2 cells, the header 20; put texts that hold commas"
    )
    assert ", line 2: the row has 21 cells" in refused(write(table(GOOD).rstrip() + ",x"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", ": the file is empty; begin it with a header: name,album"),
        (b"\n\n \n", ": the file is empty"),
        (b"\xef\xbb\xbf", ": the file is empty"),
        (table(), ": the library is empty: there is no track after the header"),
        (table(GOOD).encode("utf-16"), ", line 1: byte 0xff is not UTF-8; save the file as UTF-8"),
        (table(GOOD).encode() + b"\xe4", ", line 3: byte 0xe4 is not UTF-8"),
        (b"\x89PNG\r\n\x1a\n" + bytes(1000), ", line 1: byte 0x89 is not UTF-8"),
        (bytes(1000), ", line 1: the column name is missing"),
        (table(GOOD) + '"never closed, and on', ", line 3: unexpected end of data; see that every"),
        (table(GOOD) + '"' + "x" * 200_000, ", line 3: field larger than field limit"),
    ],
)
def test_says_what_it_is_when_it_is_no_catalogue(
    write: Write, content: str | bytes, said: str
) -> None:
    assert refused(write(content)).startswith(said)


def test_refuses_when_the_file_is_huge(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MAX_BYTES", 2 * 2**20)
    path = write(b"")
    with path.open("r+b") as file:
        file.truncate(3 * 2**20)
    assert refused(path).startswith(": the file is larger than 2 MiB")


def test_says_what_the_system_says_when_it_cannot_be_read(tmp_path: Path) -> None:
    assert refused(tmp_path / "none.csv").startswith(": No such file or directory; set library")
    assert refused(tmp_path).startswith(": Is a directory")
    with pytest.raises(CatalogueError, match="null"):
        load_catalogue("a\0b.csv")


def test_lists_files_that_are_not_there_and_refuses_nothing(write: Write, tmp_path: Path) -> None:
    (tmp_path / "here.opus").touch()
    rows = [GOOD | {"id": name, "path": name} for name in ("here.opus", "gone.opus", ".")]
    catalogue = load_catalogue(write(table(*rows)))
    assert [track.id for track in missing_files(catalogue)] == ["gone.opus", "."]


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.text(max_size=300).map(str.encode),
        st.lists(st.sampled_from([*COLUMNS, ",", "\n", '"', "0.5", "Happy", "x"]), max_size=80).map(
            lambda parts: "".join(parts).encode()
        ),
        st.tuples(st.sampled_from(COLUMNS), st.text(max_size=20)).map(
            lambda cell: table(GOOD | {cell[0]: cell[1]}).encode()
        ),
    )
)
def test_gives_tracks_or_one_line_when_fed_anything(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "anything.csv"
    path.write_bytes(content)
    try:
        catalogue = load_catalogue(path)
    except CatalogueError as error:
        assert "\n" not in str(error)  # noqa: PT017 - both ways are right
    else:
        assert catalogue.tracks
        assert all(Path(track.path).is_absolute() for track in catalogue.tracks)
