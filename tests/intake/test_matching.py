from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest
from matching_kit import Stick, invented_songs, stick_of

from moodride.intake.likeness import DOUBTFUL, SURE
from moodride.intake.matching import File, match, rematch
from moodride.library.records import Claim, FileRecord, Link, LinkState, MoodSource, Song, Tags
from moodride.library.store import Store
from moodride.types import Mood

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "datasets" / "data_moods.csv"

SURELY, MAYBE, NO = LinkState.SURE, LinkState.DOUBTFUL, None


def song(
    title: str, artist: str = "The Wheels", *, length_s: float | None = 200.0, **more: object
) -> Song:
    return Song(
        song_id=more.pop("song_id", "s"), title=title, artist=artist, length_s=length_s, **more
    )  # type: ignore[arg-type]


def file(
    title: str,
    artist: str = "The Wheels",
    *,
    length_s: float | None = 200.0,
    path: str = "/m/a.mp3",
    track_id: str = "t",
    **tags: object,
) -> File:
    found = Tags(title=title, artist=artist, length_s=length_s, **tags)  # type: ignore[arg-type]
    return File(track_id=track_id, path=path, tags=found)


def state(one: Song, other: File) -> LinkState | None:
    links = match([one], [other])
    assert all(DOUBTFUL <= link.score <= 100.0 for link in links)
    assert all((link.score >= SURE) == (link.state is SURELY) for link in links)
    return links[0].state if links else None


@pytest.mark.parametrize(
    ("title", "artist"),
    [
        ("Morning Road", "The Wheels"),
        ("MORNING ROAD", "wheels"),
        ("Mórning Röad", "Wheels, The"),
        ("Morning-Road!", "The Wheels"),
        ("Morning Road (feat. Ana Duarte)", "The Wheels"),
        ("Morning Road", "The Wheels feat. Ana Duarte"),
        ("Morning Road", "The Wheels; Ana Duarte"),
        ("Morning Road", "The Wheels with Ana Duarte"),
        ("Morning Road", "Ana Duarte feat. The Wheels"),
        ("Morning Road", "The Wheels & Ana Duarte"),
        ("Morning Road - Remastered 2011", "The Wheels"),
        ("Morning Road (Deluxe Edition) [Explicit]", "The Wheels"),
        ("Morning Road (Radio Edit)", "The Wheels"),
        ("Mornig Road", "The Wheels"),
        ("Morning Road", "The Whels"),
        ("03 Morning Road", "The Wheels"),
        ("The Wheels - Morning Road", "The Wheels"),
    ],
)
def test_a_file_is_surely_the_song_when_only_the_spelling_differs(title: str, artist: str) -> None:
    assert state(song("Morning Road"), file(title, artist, length_s=202.0)) is SURELY


@pytest.mark.parametrize(
    ("title", "artist"),
    [
        ("Morning Road - Live", "The Wheels"),
        ("Morning Road (Acoustic)", "The Wheels"),
        ("Morning Road (Okafor Remix)", "The Wheels"),
        ("Morning Road (Karaoke Version)", "The Wheels"),
        ("Morning Road [Instrumental]", "The Wheels"),
        ("Morning Road (Somebody Cover)", "The Wheels"),
        ("Morning Road, Part 2", "The Wheels"),
        ("Morning Road Again", "The Wheels"),
    ],
)
def test_a_file_is_never_surely_the_song_when_it_is_another_recording(
    title: str, artist: str
) -> None:
    assert state(song("Morning Road"), file(title, artist)) is not SURELY
    assert state(song(title), file("Morning Road", artist)) is not SURELY


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Morning Road, Part 1", "Morning Road, Part 2"),
        ("Morning Road, Pt. II", "Morning Road, Part 3"),
        ("Symphony No. 5", "Symphony No. 7"),
        ("Morning Road - Okafor Remix", "Morning Road - Quintero Remix"),
        ("Morning Road - Live", "Morning Road - Okafor Remix"),
        ("Morning Road", "Evening Road"),
        ("Run", "Sun"),
        ("Recording 15", "Recording 16"),
        ("23", "24"),
    ],
)
def test_a_file_is_not_the_song_when_title_part_or_remixer_differ(one: str, other: str) -> None:
    assert state(song(one), file(other)) is NO


@pytest.mark.parametrize("artist", ["The Doors", "Sum 42", "Ana Duarte", "", "Various Artists"])
def test_a_file_is_not_the_song_when_somebody_else_performs_it(artist: str) -> None:
    assert state(song("Morning Road", "Sum 41"), file("Morning Road", artist)) is NO


@pytest.mark.parametrize(
    ("length_s", "expected"),
    [(200.0, SURELY), (212.0, SURELY), (None, SURELY), (225.0, MAYBE), (150.0, MAYBE), (270.0, NO)],
)
def test_the_length_decides_when_the_names_are_the_same(
    length_s: float | None, expected: LinkState | None
) -> None:
    assert state(song("Morning Road"), file("Morning Road", length_s=length_s)) is expected


def test_names_that_are_nearly_alike_are_doubtful_when_the_length_is_not_known() -> None:
    slip = file("Mornig Road", length_s=None)
    assert state(song("Morning Road"), slip) is MAYBE
    assert (
        state(song("Morning Road"), file("Morning Road", "The Wheels & Ana", length_s=None))
        is MAYBE
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("Группа крови", "Кино"), ("Gruppa krovi", "Kino")),
        (("æfre", "MØ"), ("aefre", "MO")),
        (("Morning Road, Pt. II", "A; B"), ("Morning Road Part Two", "B & A")),
        (("Song - R3HAB Remix", "A"), ("Song (R3HAB Remix)", "A")),
        (("!!!", "!!!"), ("!!!", "!!!")),
        (("The The", "The The"), ("the the", "the the")),
        (("Thunder", "Grover Washington, Jr."), ("Thunder", "Grover Washington")),
    ],
)
def test_a_file_is_surely_the_song_when_script_numerals_or_order_differ(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    assert state(song(*one), file(*other)) is SURELY


@pytest.mark.parametrize(
    "path",
    [
        "/m/The Wheels - Morning Road.mp3",
        "/m/03 - The Wheels - Morning Road.mp3",
        "/m/The_Wheels_-_Morning_Road.mp3",
        "/m/The Wheels/Best Of/03 Morning Road.mp3",
        "/m/The Wheels/03. Morning Road.mp3",
        "/m/The Wheels - Best Of/1-03 Morning Road.mp3",
    ],
)
def test_a_file_without_tags_is_the_song_when_its_name_and_length_say_so(path: str) -> None:
    bare = File(track_id="t", path=path, tags=Tags(length_s=201.0))
    assert state(song("Morning Road"), bare) is SURELY
    unknown = File(track_id="t", path=path, tags=Tags())
    assert state(song("Morning Road"), unknown) is MAYBE


@pytest.mark.parametrize("title", ["99 Balloons", "7 Rooms"])
def test_a_number_is_part_of_the_title_when_it_is_not_the_tracks(title: str) -> None:
    assert state(song(title), file(title)) is SURELY
    assert (
        state(
            song(title),
            File(track_id="t", path=f"/m/The Wheels/{title}.mp3", tags=Tags(length_s=200.0)),
        )
        is SURELY
    )


@pytest.mark.parametrize(
    ("of_song", "of_file", "why"),
    [
        (
            {"spotify_id": "2H7PHVdQ3mXqEHXcvclTB0"},
            {"spotify_id": "2H7PHVdQ3mXqEHXcvclTB0"},
            "Spotify",
        ),
        (
            {"song_id": "F6A5BC7F-4C29-4D92-B6B0-E2A3A0CF3C1B"},
            {"recording_id": "f6a5bc7f-4c29-4d92-b6b0-e2a3a0cf3c1b"},
            "MusicBrainz",
        ),
        ({"path": "/m/a.mp3"}, {}, "path"),
    ],
)
def test_identifiers_decide_when_the_names_say_nothing(
    of_song: dict[str, str], of_file: dict[str, str], why: str
) -> None:
    links = match([song("Morning Road", **of_song)], [file("Track 3", "", **of_file)])
    assert [link.state for link in links] == [SURELY]
    assert why in links[0].why


def test_an_isrc_decides_when_the_names_do_not_contradict_it() -> None:
    one = song("Morning Road", isrc="GBAYE0601498")
    assert state(one, file("Mornig Road", length_s=None, isrc="GBAYE0601498")) is SURELY
    assert state(one, file("Something Else", isrc="GBAYE0601498")) is MAYBE


def test_a_path_decides_when_it_goes_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "music").mkdir()
    (tmp_path / "stick").symlink_to(tmp_path / "music")
    one = song("x", path=str(tmp_path / "stick" / "a.mp3"))
    assert state(one, file("y", "z", path=str((tmp_path / "music").resolve() / "a.mp3"))) is SURELY


def test_every_copy_is_linked_when_a_song_has_several_files() -> None:
    copies = [file("Morning Road", track_id=f"t{n}", path=f"/m/{n}.mp3") for n in range(3)]
    assert {link.track_id for link in match([song("Morning Road")], copies)} == {"t0", "t1", "t2"}


def test_a_file_goes_to_the_nearer_length_when_two_songs_are_called_the_same() -> None:
    songs = [song("Morning Road", length_s=200.0 + n, song_id=f"s{n}") for n in (8, 0, 4)]
    links = match(songs, [file("Morning Road", length_s=204.5)])
    assert [link.song_id for link in links] == ["s4"]


def test_the_live_file_is_the_live_songs_when_both_are_in_the_catalogue() -> None:
    songs = [song("Morning Road", song_id="plain"), song("Morning Road - Live", song_id="live")]
    files = [file("Morning Road", track_id="t1"), file("Morning Road (Live)", track_id="t2")]
    found = {link.track_id: (link.song_id, link.state) for link in match(songs, files)}
    assert found == {"t1": ("plain", SURELY), "t2": ("live", SURELY)}


def test_a_live_file_is_not_asked_about_when_the_song_has_its_own() -> None:
    files = [file("Morning Road", track_id="t1"), file("Morning Road (Live)", track_id="t2")]
    assert [link.track_id for link in match([song("Morning Road")], files)] == ["t1"]
    assert [link.state for link in match([song("Morning Road")], files[1:])] == [MAYBE]


def test_the_owners_word_stays_when_it_is_matched_again() -> None:
    songs = [song("Morning Road", song_id="a"), song("Evening Road", song_id="b")]
    files = [file("Morning Road", track_id="t1"), file("Evening Road", track_id="t2")]
    pinned = Link(song_id="b", track_id="t1", score=100.0, state=LinkState.PINNED)
    refused = Link(song_id="b", track_id="t2", score=0.0, state=LinkState.REFUSED)
    assert match(songs, files, [pinned, refused]) == ()


def test_nothing_is_linked_when_there_is_nothing() -> None:
    assert match([], []) == ()
    assert match([song("a")], []) == ()
    assert match([], [file("a")]) == ()


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "(" * 3000, " - " * 3000, "a" * 100_000, "\ud800", "🎵"]
)
def test_matching_goes_on_when_names_are_odd(text: str) -> None:
    odd = File(track_id="t", path=f"/m/{text[:50]}", tags=Tags(title=text, artist=text))
    match([song(text or "x", text or "x"), song("Morning Road")], [odd, file("Morning Road")])


def _measured(songs: Sequence[Song], stick: Stick) -> tuple[int, int, int]:
    """Right and wrong sure links, and files that are a song."""
    sure = [link for link in match(songs, stick.files) if link.state is SURELY]
    right = sum(stick.truth[link.track_id] == link.song_id for link in sure)
    by_chance = sum(stick.truth[link.track_id] == "?" for link in sure)
    there = sum(one not in {None, "?"} for one in stick.truth.values())
    return right, len(sure) - right - by_chance, there


def _check(measured: Sequence[tuple[int, int, int]]) -> None:
    right, wrong, there = (sum(column) for column in zip(*measured, strict=True))
    assert right / (right + wrong) >= 0.995, f"{wrong} of {right + wrong} sure links are wrong"
    assert right / there >= 0.95, f"{there - right} of {there} files were missed"


def test_precision_and_recall_hold_when_invented_names_are_disturbed() -> None:
    drawn = [(invented_songs(300, seed), seed) for seed in (11, 12, 13)]
    _check([_measured(songs, stick_of(songs, seed=seed)) for songs, seed in drawn])


@pytest.mark.skipif(not SHARED.is_file(), reason="the catalogue is not in ../shared")
def test_precision_and_recall_hold_when_the_catalogues_names_are_disturbed() -> None:
    with SHARED.open(encoding="utf-8", newline="") as table:
        songs = [
            Song(
                song_id=row["id"],
                title=row["name"],
                artist=row["artist"],
                length_s=int(row["length"]) / 1000.0,
            )
            for row in csv.DictReader(table)
        ]
    _check([_measured(songs, stick_of(songs, seed=seed)) for seed in (21,)])


def test_the_links_are_kept_when_an_index_is_matched(tmp_path: Path) -> None:
    claim = Claim(source=MoodSource.CATALOGUE, mood=Mood.CALM, confidence=0.9)
    songs = [song("Morning Road", song_id="a", claim=claim), song("Evening Road", song_id="b")]
    names = ("Morning Road", "Morning Road (Live)", "Evening Road - Live", "Other")
    records = [
        FileRecord(
            path=f"{n}.mp3".encode(),
            size=1,
            mtime_ns=1,
            tags=Tags(title=name, artist="The Wheels", length_s=200.0),
        )
        for n, name in enumerate(names)
    ]
    broken = FileRecord(
        path=b"broken.mp3", size=1, mtime_ns=1, tags=records[0].tags, problem="broken"
    )
    with Store(tmp_path / "index.sqlite") as store:
        source = store.source(tmp_path)
        scan = store.begin_scan(source)
        store.put(source, scan, [*records, broken])
        store.put_songs(songs)
        report = rematch(store)
        assert (report.songs, report.files, report.matched, report.linked) == (2, 4, 1, 1)
        assert [(pair.song, pair.file) for pair in report.doubtful] == [
            ("The Wheels - Evening Road", "The Wheels - Evening Road - Live")
        ]
        assert report.rate == 0.5
        assert store.row(str(tmp_path / "0.mp3")).mood is Mood.CALM
        pair = report.doubtful[0].link
        assert (pair.song_id, pair.state, pair.why) == (
            "b",
            MAYBE,
            "the song is plain, the file live",
        )
        store.pin(pair.song_id, pair.track_id)
        again = rematch(store)
        assert (again.matched, again.linked, again.pinned, again.doubtful) == (2, 2, 1, ())
        store.refuse("a", store.row(str(tmp_path / "0.mp3")).track_id)
        last = rematch(store)
        assert (last.matched, last.doubtful[0].link.song_id) == (1, "a")
