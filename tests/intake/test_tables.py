from __future__ import annotations

import csv
import io
import os
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moodride.errors import CatalogueError
from moodride.intake import tables
from moodride.intake.columns import recognise
from moodride.intake.csv_text import MAX_BYTES, ROW_MAX
from moodride.intake.tables import FAULTS_KEPT, SongTable
from moodride.library.catalogue import COLUMNS
from moodride.library.records import MoodSource, Song
from moodride.types import Mood

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "datasets" / "data_moods.csv"

ROW = {
    "name": "Morning, early",
    "album": "Roads",
    "artist": "The Wheels",
    "id": "2H7PHVdQ3mXqEHXcvclTB0",
    "release_date": "2001-05",
    "popularity": "68",
    "length": "61500",
    "danceability": "0.8",
    "acousticness": "0.1",
    "energy": "0.7",
    "instrumentalness": "7.73e-05",
    "liveness": "0.08",
    "valence": "0.6",
    "loudness": "-8.2",
    "speechiness": "0.07",
    "tempo": "118.5",
    "key": "5",
    "time_signature": "4",
    "mood": "Happy",
}
MOODS_COLUMNS = COLUMNS[:-1]
WATSON = (
    *("Track URI", "Track Name", "Artist URI(s)", "Artist Name(s)", "Album URI", "Album Name"),
    *("Album Artist URI(s)", "Album Artist Name(s)", "Album Release Date", "Album Image URL"),
    *("Disc Number", "Track Number", "Track Duration (ms)", "Track Preview URL", "Explicit"),
    *("Popularity", "ISRC", "Added By", "Added At"),
)
FEATURE_COLUMNS = (
    *("Danceability", "Energy", "Key", "Loudness", "Mode", "Speechiness", "Acousticness"),
    *("Instrumentalness", "Liveness", "Valence", "Tempo", "Time Signature"),
)
PAVEL = (
    *("Track URI", "Track Name", "Album Name", "Artist Name(s)", "Release Date", "Duration (ms)"),
    *("Popularity", "Explicit", "Added By", "Added At", "Genres", "Record Label"),
    *FEATURE_COLUMNS,
)
OLD_PAVEL = (
    *("Spotify ID", "Artist IDs", "Track Name", "Album Name", "Artist Name(s)", "Release Date"),
    *("Duration (ms)", "Popularity", "Added By", "Added At", "Genres"),
    *FEATURE_COLUMNS,
)
EXPORTED = {
    "Track URI": "spotify:track:2H7PHVdQ3mXqEHXcvclTB0",
    "Spotify ID": "2H7PHVdQ3mXqEHXcvclTB0",
    "Track Name": "Morning, early",
    "Artist Name(s)": "The Wheels",
    "Album Name": "Roads",
    "Release Date": "1982",
    "Album Release Date": "1982-10-27",
    "Duration (ms)": "61500",
    "Track Duration (ms)": "61500",
    "Popularity": "68",
    "Explicit": "false",
    "ISRC": "us-wb1-9900123",
    **dict.fromkeys(FEATURE_COLUMNS, "0.5"),
    "Loudness": "-8.2",
    "Tempo": "118.5",
    "Key": "5",
    "Mode": "1",
    "Time Signature": "4",
}


def text_of(columns: Sequence[str], *rows: dict[str, str], separator: str = ",") -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns, extrasaction="ignore", delimiter=separator, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def put(content: str | bytes) -> Path:
        path = tmp_path / "songs.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return put


def read(path: Path) -> tuple[SongTable, list[Song]]:
    table = SongTable(path)
    return table, list(table.songs())


def test_a_song_is_complete_when_the_row_is_of_data_moods(write: Write) -> None:
    table, (song,) = read(write(text_of(MOODS_COLUMNS, ROW)))
    assert (table.shape.kind, table.rows, table.good, table.bad) == ("data_moods.csv", 1, 1, 0)
    assert (song.song_id, song.spotify_id) == (ROW["id"], ROW["id"])
    assert (song.title, song.artist, song.album) == ("Morning, early", "The Wheels", "Roads")
    assert (song.length_s, song.tempo_bpm, song.loudness_db) == (61.5, 118.5, -8.2)
    assert song.claim is not None
    assert (song.claim.source, song.claim.mood) == (MoodSource.CATALOGUE, Mood.HAPPY)
    assert (song.claim.valence, song.claim.energy) == (0.6, 0.7)
    assert song.claim.note == "songs.csv, line 2"
    assert song.features["instrumentalness"] == 7.73e-05
    assert set(song.features) == set(MOODS_COLUMNS[7:18])
    assert song.path == ""


def test_paths_are_below_the_catalogue_when_it_is_our_own(write: Write, tmp_path: Path) -> None:
    rows = ({**ROW, "path": "music/one.opus"}, {**ROW, "id": "t2", "path": "/m/../n/two.opus"})
    table, songs = read(write(text_of(COLUMNS, *rows)))
    assert table.shape.kind == "Moodride's own catalogue"
    assert [song.path for song in songs] == [str(tmp_path / "music/one.opus"), "/n/two.opus"]
    assert (songs[1].song_id, songs[1].spotify_id) == ("t2", "")


def test_the_shipped_catalogue_is_read_when_it_is_imported() -> None:
    table, songs = read(ROOT / "data" / "catalogue.csv")
    assert (len(songs), table.faults) == (20, [])
    assert all(Path(song.path).is_file() for song in songs)


@pytest.mark.skipif(not SHARED.is_file(), reason="the catalogue is not in ../shared")
def test_data_moods_is_read_as_it_is() -> None:
    table, songs = read(SHARED)
    assert (len(songs), table.bad, table.repeated, table.notes) == (686, 0, 0, ())
    moods = [song.claim.mood for song in songs if song.claim]
    counts = {mood: moods.count(mood) for mood in Mood}
    assert counts == {Mood.HAPPY: 140, Mood.SAD: 197, Mood.CALM: 195, Mood.ENERGETIC: 154}


@pytest.mark.parametrize("columns", [WATSON, WATSON + FEATURE_COLUMNS, PAVEL, OLD_PAVEL])
def test_a_song_is_found_when_exportify_wrote_it(write: Write, columns: tuple[str, ...]) -> None:
    table, (song,) = read(write(text_of(columns, EXPORTED)))
    assert (table.shape.kind, table.bad) == ("Exportify", 0)
    assert (song.song_id, song.spotify_id) == ("2H7PHVdQ3mXqEHXcvclTB0",) * 2
    assert (song.title, song.artist, song.album) == ("Morning, early", "The Wheels", "Roads")
    assert song.length_s == 61.5
    assert song.isrc == ("USWB19900123" if "ISRC" in columns else "")
    assert song.features.keys() == (
        {name.lower().replace(" ", "_") for name in FEATURE_COLUMNS} if "Mode" in columns else set()
    )


@pytest.mark.parametrize(
    "header",
    [
        "Track-URI,Track-Name,Künstlername(n),Album-Name,Track-Dauer (ms),Energie,Valenz",
        "URI du titre,Nom du titre,Nom(s) de l'artiste,Nom de l'album,length,Énergie,Valence",
        "URI della traccia,Nome della traccia,Nome dell'artista,c,duration_ms,Energia,Valenza",
        "Låtens URI,Låtens namn,Artistens namn,Albumets namn,Låtlängd (ms),Energi,Valens",
        "TRACK URI, track name ,ArtistName(s),ALBUM_NAME,track duration ms,ENERGY,Valence",
    ],
)
def test_columns_are_known_when_their_names_are_translated_or_spelt_otherwise(
    write: Write, header: str
) -> None:
    row = "spotify:track:2H7PHVdQ3mXqEHXcvclTB0,a,b,c,61500,0.7,0.6"
    table, (song,) = read(write(f"{header}\n{row}\n"))
    assert (table.shape.kind, song.length_s) == ("Exportify", 61.5)
    assert song.features == {"energy": 0.7, "valence": 0.6}


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ("one,two,three", "the columns name and artist are missing"),
        ("name,album,id,mood", "the column artist of data_moods.csv is missing"),
        ("Track URI,Track Name,Album Name", "the column Artist Name(s) of Exportify is missing"),
        ("name,artist,name,mood", 'the column "name" stands there twice'),
    ],
)
def test_a_wrong_table_is_refused_when_columns_are_missing(
    write: Write, header: str, says: str
) -> None:
    with pytest.raises(CatalogueError) as caught:
        SongTable(write(f"{header}\n1,2,3,4\n"))
    assert says in caught.value.what
    assert "songs.csv, line 1" in caught.value.where
    if "twice" not in says:
        assert all(kind in str(caught.value) for kind in ("data_moods.csv", "own", "Exportify"))
        assert "its header has" in caught.value.remedy


def test_the_owner_is_told_when_a_column_is_misspelt_or_no_mood_is_there() -> None:
    shape = recognise(["name", "artist", "moood", "tempo"], where="x")
    assert 'the column "moood" is not known: did you mean "mood"?' in shape.notes[0]
    assert "neither moods nor audio features" in shape.notes[1]


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [
        ("utf-8", b""),
        ("utf-8-sig", b""),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b"\xfe\xff"),
        ("utf-16", b""),
    ],
)
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_table_is_read_when_encoding_separator_and_line_ends_differ(
    write: Write, encoding: str, mark: bytes, separator: str, end: str
) -> None:
    row = {**ROW, "name": 'Ærøskøbing "Süd", früh; spät', "artist": "Łona"}
    text = text_of(MOODS_COLUMNS, row, separator=separator).replace("\r\n", end)
    table, (song,) = read(write(mark + text.encode(encoding)))
    assert (song.title, song.artist) == ('Ærøskøbing "Süd", früh; spät', "Łona")
    assert (table.separator, table.notes, table.bad) == (separator, (), 0)


def test_windows_1252_is_read_and_said_when_a_table_is_not_utf_8(write: Write) -> None:
    row = {**ROW, "name": "Früh", "artist": "Señor “Café”"}
    table, (song,) = read(write(text_of(MOODS_COLUMNS, row).encode("cp1252")))
    assert (song.title, song.artist) == ("Früh", "Señor “Café”")
    assert "Windows-1252" in table.notes[0]


def test_a_damaged_byte_costs_its_row_when_the_rest_is_utf_8(write: Write) -> None:
    rows = [{**ROW, "id": f"t{n}", "name": f"Für Élise {n}"} for n in range(5)]
    data = text_of(MOODS_COLUMNS, *rows).encode().replace("Élise 3".encode(), b"\xc9lise 3")
    table, songs = read(write(data))
    assert [song.song_id for song in songs] == ["t0", "t1", "t2", "t4"]
    assert [(fault.line, fault.column) for fault in table.faults] == [(5, "name")]
    assert table.notes == ()


@pytest.mark.parametrize(
    ("row", "line", "column", "what"),
    [
        ("a,b,Angry", 3, "mood", '"Angry" is no mood'),
        ("a,b,Hapy", 3, "mood", '"Hapy" is no mood'),
        ("a,b,", 3, "mood", "the cell is empty"),
        (",b,Sad", 3, "name", "the cell is empty"),
        ("a,  ,Sad", 3, "artist", "the cell is empty"),
        ("a,b", 3, "", "the row has 2 cells, the header 3"),
        ("a,b,Sad,c", 3, "", "the row has 4 cells, the header 3"),
        ("a,b\0,Sad", 3, "", "the row holds a NUL character"),
        ('"a,b,Sad', 3, "", "its quotes do not match"),
        ('"a"x,b,Sad', 3, "", "its quotes do not match"),
        ("#NAME?,b,Sad", 3, "name", "#NAME? is a spreadsheet's error"),
        (f"{'a' * 5000},b,Sad", 3, "name", "the cell has 5000 characters"),
        (f"{'a' * 200_000},b,Sad", 3, "", f"the row is longer than {ROW_MAX} characters"),
    ],
)
def test_a_bad_row_is_told_and_the_others_kept_when_one_is_wrong(
    write: Write, row: str, line: int, column: str, what: str
) -> None:
    table, songs = read(write(f"name,artist,mood\nx,y,calm\n{row}\nv,w,SAD\n"))
    assert [song.title for song in songs] == ["x", "v"]
    assert [(f.line, f.column, f.what) for f in table.faults] == [(line, column, what)]
    assert table.faults[0].remedy
    assert (table.rows, table.good, table.bad) == (3, 2, 1)


def test_every_wrong_cell_is_told_when_a_row_has_several(write: Write) -> None:
    row = {**ROW, "energy": "1.7", "tempo": "fast", "release_date": "27.10.1982", "mood": "Angry"}
    table, songs = read(write(text_of(MOODS_COLUMNS, row, ROW)))
    assert len(songs) == 1
    assert {f.column for f in table.faults} == {"energy", "tempo", "release_date", "mood"}
    assert (table.rows, table.bad) == (2, 1)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_a_table_is_read_when_every_cell_is_quoted(write: Write, separator: str) -> None:
    text = '"name","artist","mood"\n"a, ""b""; c|d","e","Sad"\n'.replace('","', f'"{separator}"')
    hint = f"sep={separator}\n" if separator == "|" else ""
    table, (song,) = read(write(hint + text))
    assert (song.title, song.artist, table.bad) == ('a, "b"; c|d', "e", 0)


def test_lines_are_the_files_when_cells_hold_line_breaks_and_rows_are_blank(write: Write) -> None:
    text = 'name,artist,mood\n\n"a\nb\nc",x,Sad\n\n,,\n ; \ny,z,Angry\n'
    table, songs = read(write(text.replace(" ; \n", "")))
    assert [song.title for song in songs] == ["a b c"]
    assert songs[0].claim is not None
    assert songs[0].claim.note == "songs.csv, line 3"
    assert [fault.line for fault in table.faults] == [8]


def test_a_table_is_read_when_a_spreadsheet_wrote_it(write: Write) -> None:
    text = 'sep=;\nname;artist;mood;energy;;\n="1999";Prince;happy;0,73;;\n=1+1;@x;sad;0,1;;\n'
    table, songs = read(write(text))
    assert [(song.title, song.artist) for song in songs] == [("1999", "Prince"), ("=1+1", "@x")]
    assert songs[0].features == {"energy": 0.73}
    assert table.bad == 0


def test_a_quote_inside_a_cell_is_a_letter_when_the_cell_is_not_quoted(write: Write) -> None:
    _, songs = read(write('name,artist,mood\n7" Mix,a,Sad\nb, "c, d",Sad\n'))
    assert [(song.title, song.artist) for song in songs] == [('7" Mix', "a"), ("b", "c, d")]


def test_what_harms_a_terminal_is_left_out_when_cells_hold_it(write: Write) -> None:
    _, (song,) = read(write("name,artist,mood\n\x1b[31mred\x07,a\u202eb,Sad\n"))
    assert (song.title, song.artist) == ("[31mred", "a b")


def test_the_later_row_counts_when_a_song_stands_there_twice(write: Write) -> None:
    rows = ({**ROW, "mood": "Sad"}, {**ROW, "id": "t2"}, {**ROW, "mood": "CALM"})
    table, songs = read(write(text_of(MOODS_COLUMNS, *rows)))
    assert (table.good, table.repeated) == (3, 1)
    assert songs[-1].song_id == songs[0].song_id
    assert songs[-1].claim is not None
    assert songs[-1].claim.mood is Mood.CALM


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "the file is empty"),
        (b"\n\n \n", "the file is empty"),
        (b"PK\x03\x04rest", "a spreadsheet or an archive"),
        (b"\x1f\x8brest", "compressed by gzip"),
        (b"\xd0\xcf\x11\xe0rest", "an old spreadsheet"),
        ("name,artist\na,b\n".encode("utf-16-le"), "UTF-16 without its mark"),
        (b"\0" * 4096, "no text"),
        (b'"' * 100_000, "longer than"),
        (b'"' * 101 + b"\n", "line 1: the quotes of the header do not match"),
    ],
)
def test_a_file_is_refused_when_it_is_no_table(write: Write, content: bytes, says: str) -> None:
    with pytest.raises(CatalogueError, match="songs.csv") as caught:
        SongTable(write(content))
    assert says in str(caught.value)
    assert len(str(caught.value)) < 1200


def test_a_file_is_refused_when_it_is_missing_a_folder_or_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "none.csv", tmp_path, tmp_path / "pipe", Path("a\0b")):
        with pytest.raises(CatalogueError):
            SongTable(path)


def test_a_file_is_refused_when_it_is_huge(write: Write) -> None:
    path = write("name,artist,mood\na,b,Sad\n")
    os.truncate(path, MAX_BYTES + 1)
    with pytest.raises(CatalogueError, match="larger than 256 MiB"):
        SongTable(path)


def test_nothing_is_yielded_when_there_are_no_rows(write: Write) -> None:
    table, songs = read(write("name,artist,mood\n"))
    assert (songs, table.rows, table.faults) == ([], 0, [])


def test_faults_are_counted_when_there_are_too_many_to_keep(write: Write) -> None:
    many = FAULTS_KEPT + 500
    table, songs = read(write("name,artist,mood\n" + "a\n" * many))
    assert (songs, table.bad, len(table.faults)) == ([], many, FAULTS_KEPT)


def test_memory_stays_small_when_a_table_is_large(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tables, "_CHUNK", 50)
    rows = (f"{'t' * 1000} {n},{'a' * 1000} {n},Sad\n" for n in range(2_000))
    path = write("name,artist,mood\n" + "".join(rows))
    table = SongTable(path)
    next(table.songs())  # what stays for good, as caches of pandas, is there now
    tracemalloc.start()
    try:
        for _ in table.songs():
            pass
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert table.good == 2_000
    assert peak < path.stat().st_size / 3


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=300))
def test_a_table_never_raises_anything_else_when_its_rows_are_any_bytes(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("any") / "songs.csv"
    path.write_bytes(b"name,artist,mood\nx,y,Sad\n" + data)
    try:
        table, songs = read(path)
    except CatalogueError:
        return
    assert table.good == len(songs)
    assert table.rows == table.good + table.bad
