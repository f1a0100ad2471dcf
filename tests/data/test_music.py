from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from mutagen.oggopus import OggOpus

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "data"
MAKE = ROOT / "scripts" / "make_music.py"
COLUMNS = (
    "name,album,artist,id,release_date,popularity,length,danceability,acousticness,energy,"
    "instrumentalness,liveness,valence,loudness,speechiness,tempo,key,time_signature,mood,path"
)


def rows() -> list[dict[str, str]]:
    with (DATA / "catalogue.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def make_music(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(MAKE), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(DATA / "music", tmp_path / "music")
    shutil.copy(DATA / "catalogue.csv", tmp_path)
    return tmp_path


def test_catalogue_has_the_columns_of_the_format_and_the_path() -> None:
    with (DATA / "catalogue.csv").open(encoding="utf-8") as file:
        assert file.readline() == COLUMNS + "\n"


def test_catalogue_has_four_tracks_and_three_artists_or_more_a_mood() -> None:
    moods = Counter(row["mood"] for row in rows())

    assert set(moods) == {"Happy", "Sad", "Calm", "Energetic"}
    assert min(moods.values()) >= 4
    for mood in moods:
        assert len({row["artist"] for row in rows() if row["mood"] == mood}) >= 3


def test_ids_paths_and_titles_are_unique() -> None:
    for column in ("id", "path", "name"):
        assert max(Counter(row[column] for row in rows()).values()) == 1


def test_every_listed_file_is_there_and_no_other() -> None:
    listed = {DATA / row["path"] for row in rows()}

    assert listed == set((DATA / "music").iterdir())


def test_music_takes_at_most_eight_megabytes() -> None:
    assert sum(path.stat().st_size for path in (DATA / "music").iterdir()) <= 8_000_000


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["id"])
def test_file_is_stereo_opus_of_the_length_and_tags_that_the_catalogue_says(
    row: dict[str, str],
) -> None:
    file = OggOpus(DATA / row["path"])

    assert file.info.channels == 2
    assert 30.0 <= file.info.length <= 60.0
    assert file.info.length * 1000 == pytest.approx(float(row["length"]), abs=1.0)
    for tag, column in (("title", "name"), ("artist", "artist"), ("album", "album")):
        assert file[tag] == [row[column]]
    assert file["mood"] == [row["mood"]]
    assert file["genre"] != [""]
    # RFC 7845: 1/256 dB to -23 LUFS, of a file that was levelled to -16.
    assert int(file["r128_track_gain"][0]) / 256 == pytest.approx(-7.0, abs=0.5)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row["id"])
def test_features_are_in_range_and_fit_the_mood(row: dict[str, str]) -> None:
    tempo, energy, valence = (float(row[name]) for name in ("tempo", "energy", "valence"))

    for column in ("danceability", "acousticness", "energy", "instrumentalness", "valence"):
        assert 0.0 <= float(row[column]) <= 1.0
    assert float(row["loudness"]) == pytest.approx(-16.0, abs=0.5)
    assert 0 <= int(row["key"]) <= 11
    assert row["time_signature"] in {"3", "4"}
    low, high = {
        "Happy": (96, 116),
        "Sad": (56, 72),
        "Calm": (60, 76),
        "Energetic": (122, 132),
    }[row["mood"]]
    assert low <= tempo <= high
    assert (energy >= 0.5) == (row["mood"] in {"Happy", "Energetic"})
    assert (valence < 0.3) == (row["mood"] == "Sad")


def test_check_agrees_with_what_is_there() -> None:
    told = make_music("--check")

    assert told.returncode == 0, told.stderr
    assert "agree" in told.stdout


def test_check_names_the_file_when_it_is_missing_broken_or_unlisted(copy: Path) -> None:
    missing, broken, *_ = sorted((copy / "music").iterdir())
    missing.unlink()
    broken.write_bytes(b"OggS" + bytes(500))
    (copy / "music" / "stray.opus").write_bytes(b"")

    told = make_music("--check", "--data", str(copy))

    assert told.returncode == 1
    assert f"music/{missing.name}: listed but missing" in told.stderr
    assert f"{broken.name}: no Opus file" in told.stderr
    assert "music/stray.opus: present but not listed" in told.stderr
    assert "Traceback" not in told.stderr


def test_check_sees_a_wrong_tag_and_a_wrong_length(copy: Path) -> None:
    text = (copy / "catalogue.csv").read_text(encoding="utf-8")
    first = rows()[0]
    text = text.replace(first["artist"], "Nobody", 1).replace(f",{first['length']},", ",12345,", 1)
    (copy / "catalogue.csv").write_text(text, encoding="utf-8")

    told = make_music("--check", "--data", str(copy))

    assert told.returncode == 1
    assert "tag artist is" in told.stderr
    assert "the catalogue says 12345 ms" in told.stderr


@pytest.mark.parametrize("text", [b"", b"name,path\n", b"\x00\x01"])
def test_check_refuses_a_catalogue_with_other_columns(copy: Path, text: bytes) -> None:
    (copy / "catalogue.csv").write_bytes(text)

    told = make_music("--check", "--data", str(copy))

    assert told.returncode == 1
    assert "columns" in told.stderr
    assert "Traceback" not in told.stderr


@pytest.mark.parametrize("tail", [b"\xff\xfe\n", b"short\n", b",,,,,,,,,,,,,,,,,,,music\n"])
def test_check_survives_a_damaged_line(copy: Path, tail: bytes) -> None:
    with (copy / "catalogue.csv").open("ab") as file:
        file.write(tail)

    told = make_music("--check", "--data", str(copy))

    assert told.returncode == 1
    assert told.stderr
    assert "Traceback" not in told.stderr


def test_check_sees_a_feature_that_is_not_the_songs(copy: Path) -> None:
    text = (copy / "catalogue.csv").read_text(encoding="utf-8")
    (copy / "catalogue.csv").write_text(text.replace(",Happy,", ",Sad,", 1), encoding="utf-8")

    told = make_music("--check", "--data", str(copy))

    assert told.returncode == 1
    assert "mood is 'Sad', the song says 'Happy'" in told.stderr


def test_check_says_so_when_there_is_no_catalogue(tmp_path: Path) -> None:
    told = make_music("--check", "--data", str(tmp_path))

    assert told.returncode == 1
    assert "catalogue.csv" in told.stderr
    assert "Traceback" not in told.stderr


def test_unknown_song_is_refused_with_the_names_there_are() -> None:
    told = make_music("--hash", "polka-99")

    assert told.returncode == 2
    assert "happy-01-lemonade-weather" in told.stderr


def test_generator_gives_the_same_samples_again_and_other_ones_for_another_song() -> None:
    once, again = make_music("--hash", "calm-05"), make_music("--hash", "calm-05")
    other = make_music("--hash", "sad-05")

    assert once.returncode == 0, once.stderr
    assert len(once.stdout.strip()) == 64
    assert once.stdout == again.stdout
    assert once.stdout != other.stdout
