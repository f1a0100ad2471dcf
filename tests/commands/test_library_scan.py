from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import music_tree
import pytest

from moodride.commands.index_path import index_path
from moodride.commands.library_scan import scan
from moodride.commands.library_telling import Lines
from moodride.config import Loaded, load_config, state_folder
from moodride.library.reading import open_index
from moodride.library.records import Claim, MoodSource, Song
from moodride.library.store import Store
from moodride.types import Mood


@pytest.fixture(scope="session")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return music_tree.make_sounds(tmp_path_factory.mktemp("sounds"))


@pytest.fixture
def loaded(tmp_path: Path) -> Loaded:
    found = load_config(None)
    library = replace(found.config.library, index=str(tmp_path / "index.sqlite"))
    return replace(found, config=replace(found.config, library=library))


def test_index_lies_in_the_state_folder_when_nothing_else_is_said(
    loaded: Loaded, tmp_path: Path
) -> None:
    assert index_path(loaded.config) == tmp_path / "index.sqlite"
    plain = load_config(None).config
    assert index_path(plain) == state_folder(plain) / "library.sqlite"


def test_scan_says_what_it_found_and_what_it_could_not_read(
    loaded: Loaded, tmp_path: Path, sounds: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    odd = music_tree.odd_tree(tmp_path / "top", sounds)
    assert scan(loaded, [tmp_path / "top"], analyse=False, as_json=False) == 0
    said = capsys.readouterr().out
    (row,) = [line for line in said.splitlines() if line.startswith(str(tmp_path)[:8])]
    assert row.split()[-5:] == [str(len(odd.music)), "0", "0", "0", str(len(odd.broken))]
    assert "claims 256 MB.mp3: it is damaged, or no music: " in said
    assert f"and {len(odd.broken) - 10} more: moodride library list --problems" in said
    with Store(index_path(loaded.config)) as store:
        assert sum(1 for _ in store.rows()) == len(odd.music) + len(odd.broken)


def test_scan_prints_data_with_every_problem(
    loaded: Loaded, tmp_path: Path, sounds: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    odd = music_tree.odd_tree(tmp_path / "top", sounds)
    music_tree.tagged(sounds["mp3"], os.fsencode(tmp_path) + b"/top/broken/\xff\n.mp3")
    (tmp_path / "top" / os.fsdecode(b"broken/\xff\n.mp3")).write_bytes(b"no music")
    assert scan(loaded, [tmp_path / "top"], analyse=False, as_json=True) == 0
    (source,) = json.loads(capsys.readouterr().out)["sources"]
    assert (source["complete"], source["new"]) == (True, len(odd.music))
    assert len(source["problems"]) == source["unreadable"] == len(odd.broken) + 1
    paths = {os.fsencode(problem["path"]) for problem in source["problems"]}
    assert os.fsencode(tmp_path) + b"/top/broken/\xff\n.mp3" in paths


def test_scan_harms_no_terminal_when_names_are_malicious(
    loaded: Loaded, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "[red]top\x1b[2J"
    folder.mkdir()
    (folder / "\x1b]0;title\x07[bold]\n.mp3").write_bytes(b"no music")
    assert scan(loaded, [folder], analyse=False, as_json=False) == 0
    said = capsys.readouterr().out
    assert "\x1b" not in said
    assert "[red]top\\x1b[2J" in said
    assert "\\x1b]0;title\\x07[bold]\\n.mp3" in said


def test_scan_is_no_success_when_a_folder_is_not_there(
    loaded: Loaded, tmp_path: Path, sounds: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    music_tree.tagged(sounds["mp3"], tmp_path / "here" / "1.mp3")
    folders = [tmp_path / "missing", tmp_path / "here"]
    assert scan(loaded, folders, analyse=False, as_json=False) == 66
    said = capsys.readouterr().out
    assert "missing: it cannot be read: No such file or directory" in said
    with Store(index_path(loaded.config)) as store:
        assert sum(1 for _ in store.rows()) == 1


def test_scan_listens_when_asked_to_and_publishes_what_it_heard(
    loaded: Loaded, tmp_path: Path, sounds: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        music_tree.tagged(sounds["flac"], tmp_path / "top" / f"{number}.flac", title=f"{number}")
    (tmp_path / "top" / "noise.mp3").write_bytes(b"no music")
    assert scan(loaded, [tmp_path / "top"], analyse=True, as_json=False) == 0
    said = capsys.readouterr().out
    assert "listened to 2 files" in said
    with Store(index_path(loaded.config)) as store:
        measured = [row.sound for row in store.rows() if row.sound]
    assert len(measured) == 2
    index = open_index(index_path(loaded.config))
    shelf = index.shelf()
    assert {round(shelf.track(n).loudness_db) for n in range(2)} == {round(measured[0].loudness_db)}
    index.close()
    assert scan(loaded, [tmp_path / "top"], analyse=True, as_json=True) == 0
    assert json.loads(capsys.readouterr().out)["sound"]["measured"] == 0


def test_lines_come_every_ten_seconds_when_nobody_sees_a_bar(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now_s = 100.0
    lines = Lines("reading", lambda: now_s)
    lines.tell(0, None)
    for _ in range(45):
        now_s += 1.0
        lines.tell(100, 30_000)
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "reading 1,000 of 30,000 files, about 5 min left",
        "reading 2,000 of 30,000 files, about 5 min left",
        "reading 3,000 of 30,000 files, about 4 min left",
        "reading 4,000 of 30,000 files, about 4 min left",
    ]


SCAN = """
import sys
from dataclasses import replace
from pathlib import Path
from moodride.commands.library_scan import scan
from moodride.config import load_config
found = load_config(None)
library = replace(found.config.library, index=sys.argv[1])
loaded = replace(found, config=replace(found.config, library=library))
raise SystemExit(scan(loaded, [Path(sys.argv[2])], analyse=False, as_json=False))
"""


def test_a_bar_is_shown_on_a_terminal(tmp_path: Path, sounds: dict[str, Path]) -> None:
    music_tree.many_files(tmp_path / "top", sounds, files=400)
    screen, tty = pty.openpty()
    command = [sys.executable, "-c", SCAN, str(tmp_path / "index.sqlite"), str(tmp_path / "top")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=tty) as process:
        os.close(tty)
        said = b""
        while True:
            try:
                part = os.read(screen, 65536)
            except OSError:  # nobody writes any more
                break
            if not part:
                break
            said += part
    os.close(screen)
    assert process.returncode == 0
    assert b"counting" in said
    assert b"reading" in said
    assert b"/400" in said


def test_song_of_a_catalogue_when_its_file_comes_later_gives_it_its_mood(
    loaded: Loaded, tmp_path: Path, sounds: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    song = Song(
        song_id="s1",
        title="Morning Road",
        artist="The Wheels",
        claim=Claim(source=MoodSource.CATALOGUE, mood=Mood.CALM, confidence=0.9),
    )
    with Store(index_path(loaded.config)) as store:
        store.put_songs([song])
    path = tmp_path / "top" / "1.flac"
    music_tree.tagged(sounds["flac"], path, title="Morning road", artist="Wheels")
    assert scan(loaded, [tmp_path / "top"], analyse=False, as_json=False) == 0
    index = open_index(index_path(loaded.config))
    assert index.shelf().track(0).mood is Mood.CALM
    index.close()
