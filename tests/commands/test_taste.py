"""`moodride taste`, and its line for `moodride check`."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from moodride.choice.taste import Evidence, Outcome
from moodride.commands.taste import in_words, taste
from moodride.config import READINGS, Loaded, load_config, shipped_file
from moodride.errors import ServiceError, StorageError
from moodride.memory.taste import FILE, TasteStore, read
from moodride.shelf import key_of
from moodride.types import Mood, Track


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A configuration with folders of its own."""
    path = tmp_path / "own.toml"
    (tmp_path / "run").mkdir()
    path.write_text(
        f'[paths]\nruntime = "{tmp_path / "run"}"\nstate = "{tmp_path / "state"}"\n[choice]\n'
    )
    return path


def loaded(own: Path) -> Loaded:
    return load_config([shipped_file(), own])


def learn(
    folder: Path, name: str, *, artist: str, mood: Mood = Mood.CALM, likes: bool, times: int = 1
) -> None:
    of = Track(
        id=name,
        path=f"/music/{name}",
        name=name,
        artist=artist,
        album="",
        mood=mood,
        length_s=180.0,
        valence=0.5,
        energy=0.5,
        tempo_bpm=100.0,
        loudness_db=-14.0,
    )
    store = TasteStore(folder / "state" / FILE)
    for _ in range(times):
        found = Evidence(
            track=key_of(name),
            artist=key_of(artist),
            mood=mood,
            outcome=Outcome.HEARD if likes else Outcome.EARLY,
            liked=float(likes),
            disliked=float(not likes),
        )
        store.add(found, of)
    store.close()


def told(own: Path, capsys: pytest.CaptureFixture[str], **how: bool) -> str:
    assert taste(loaded(own), **{"forget": False, "as_json": False, **how}) == 0
    return capsys.readouterr().out


def test_taste_when_nothing_was_learnt_says_so(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing = f"nothing kept, {tmp_path / 'state' / FILE}\n"
    assert told(own, capsys) == nothing
    assert told(own, capsys, forget=True) == nothing
    assert json.loads(told(own, capsys, as_json=True)) == {}
    assert not (tmp_path / "state").exists(), "looking makes nothing"


def test_taste_when_known_is_shown_by_artist_and_by_mood(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learn(tmp_path, "Fine Song", artist="Liked One", likes=True, times=5)
    learn(tmp_path, "Dull Song", artist="Bad One", mood=Mood.SAD, likes=False, times=4)
    out = told(own, capsys)
    titles = [line.strip() for line in out.splitlines() if "Most" in line or "Least" in line]
    assert titles == [
        "Most liked artists",
        "Least liked artists",
        "Least liked Sad tracks",
        "Most liked Calm tracks",
    ]
    (fine,) = [line.split() for line in out.splitlines() if "Fine Song" in line]
    assert fine[:4] == ["Fine", "Song", "Liked", "One"]
    assert fine[-3:] == ["5", "0", "0"]
    (dull,) = [line.split() for line in out.splitlines() if "Dull Song" in line]
    assert dull[-3:] == ["0", "4", "0"]
    liking = {line.split()[0]: line.split()[-5:-3] for line in out.splitlines() if " One" in line}
    assert int(liking["Bad"][0]) < 30
    assert int(liking["Liked"][0]) > 85
    assert out.splitlines()[-1] == (
        f"learnt from 9 plays of 2 tracks by 2 artists, {tmp_path / 'state' / FILE}"
    )


def test_taste_when_much_is_known_shows_the_ends_alone(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for n in range(12):
        learn(tmp_path, f"Good {n:02}", artist=f"Better {n:02}", likes=True)
        learn(tmp_path, f"Poor {n:02}", artist=f"Worse {n:02}", likes=False)
    out = told(own, capsys)
    shown = [line for line in out.splitlines() if line.strip()[:4] in {"Good", "Poor"}]
    assert len(shown) == 2 * 8
    document = json.loads(told(own, capsys, as_json=True))
    assert len(document["tracks"]) == 24
    assert document["plays"] == 24


def test_json_holds_all_by_name(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learn(tmp_path, "Größe", artist="Å", likes=True, times=2)
    document = json.loads(told(own, capsys, as_json=True))
    (kept,) = document["tracks"]
    assert 0.8 < kept.pop("liking") < 1.0
    assert kept == {
        "name": "Größe",
        "artist": "Å",
        "mood": "Calm",
        "heard": 2,
        "late": 0,
        "early": 0,
    }
    assert [mood["mood"] for mood in document["moods"]] == ["Calm"]


def test_name_from_a_tag_cannot_command_the_terminal(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learn(tmp_path, "\x1b[2J\x07evil\n[bold]x", artist="", likes=True, times=3)
    out = told(own, capsys)
    assert "\x1b" not in out
    assert "\x07" not in out
    assert "evil [bold]x" in out, "and no markup either"
    assert "(no name)" in out


def test_long_name_does_not_fold_a_row(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learn(tmp_path, "x" * 150, artist="y" * 150, likes=True, times=3)
    rows = [line for line in told(own, capsys).splitlines() if "xxx" in line]
    assert len(rows) == 1
    assert rows[0].split()[0].endswith("x…")


def test_forget_when_nothing_runs_leaves_nothing(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learn(tmp_path, "a", artist="b", likes=True)
    out = told(own, capsys, forget=True)
    path = tmp_path / "state" / FILE
    assert out.splitlines() == [f"forgotten: {path}", f"forgotten: {path}-journal"]
    assert list((tmp_path / "state").iterdir()) == []


def test_forget_when_a_service_runs_is_refused_and_all_stays(
    own: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    learn(tmp_path, "a", artist="b", likes=True)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as running:
        running.bind(str(tmp_path / "run" / READINGS))
        with pytest.raises(ServiceError, match="is running, and would write it again"):
            taste(loaded(own), forget=True, as_json=False)
        known = read(tmp_path / "state" / FILE)
        assert known is not None
        assert known.plays == 1
    assert "forgotten" in told(own, capsys, forget=True), "its stale socket is no service"


def test_forget_when_it_cannot_tell_what_runs_is_refused(own: Path, tmp_path: Path) -> None:
    learn(tmp_path, "a", artist="b", likes=True)
    (tmp_path / "run" / READINGS).symlink_to(READINGS)
    with pytest.raises(ServiceError, match="cannot tell whether moodride runs"):
        taste(loaded(own), forget=True, as_json=False)
    assert (tmp_path / "state" / FILE).exists()


def test_forget_when_the_disk_refuses_says_so(own: Path, tmp_path: Path) -> None:
    (tmp_path / "state" / FILE).mkdir(parents=True)
    with pytest.raises(StorageError, match="state"):
        taste(loaded(own), forget=True, as_json=False)


def test_taste_when_the_file_is_damaged_says_what_will_happen(own: Path, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    path = tmp_path / "state" / FILE
    path.write_text("x" * 5000)
    with pytest.raises(
        StorageError, match="the next start of the service puts it aside"
    ) as refused:
        taste(loaded(own), forget=False, as_json=False)
    assert str(refused.value).startswith(f"{path}: ")
    assert "\n" not in str(refused.value)
    assert path.exists()


def test_in_words_says_when_it_is_not_used(own: Path, tmp_path: Path) -> None:
    learn(tmp_path, "a", artist="b", likes=True)
    path = tmp_path / "state" / FILE
    assert in_words(loaded(own)) == f"learnt from 1 play of 1 track by 1 artist, {path}"
    own.write_text(own.read_text() + "taste = false\n")
    assert in_words(loaded(own)).startswith("not used, choice.taste is off; learnt from 1 play")
