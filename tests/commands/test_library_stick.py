"""`moodride library stick`, with real mounts in the mount namespace of a child process."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest

from moodride.commands import library_stick
from moodride.commands.library_page import opened
from moodride.commands.library_stick import stick
from moodride.config import load_config
from moodride.errors import SourceError
from moodride.library.store import Store

ROOT = Path(__file__).parents[2]
SONGS = sorted((ROOT / "data" / "music").glob("*.opus"))[:3]

PRELUDE = f"""
import json, os, shutil, subprocess, sys, threading
from pathlib import Path
from moodride.commands import library_stick
from moodride.commands.library_stick import stick
from moodride.config import load_config
from moodride.errors import MoodrideError
from moodride.library.reading import open_index
from moodride.library.records import Claim, MoodSource
from moodride.library.store import Store
from moodride.types import Mood

songs = [Path(name) for name in {[str(song) for song in SONGS]!r}]
folder = Path(sys.argv[1])
index = folder / "state" / "library.sqlite"
(folder / "moodride.toml").write_text("[library]\\nindex = " + json.dumps(str(index)) + "\\n")
loaded = load_config([folder / "moodride.toml"])
library_stick.can_analyse = lambda: False  # that takes minutes

def plug_in(place, count=len(songs)):
    place = folder / place
    place.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "stick", str(place)], check=True)
    for song in songs[:count]:
        shutil.copy(song, place)
    return place

def pull_out(place):
    subprocess.run(["umount", "--lazy", str(place)], check=True)

def sources():
    with Store(index) as store:
        return [(s.folder, s.label, s.medium, s.tracks) for s in store.sources()]

def tracks():
    with Store(index) as store:
        return {{Path(row.path).name: row.track_id for row in store.rows()}}

def tell(**facts):
    print("FACTS " + json.dumps(facts))
"""


@pytest.fixture
def car(tmp_path: Path) -> Any:
    """Run a program where mounting is allowed and seen by nobody else; what it tells."""
    apart = ["unshare", "--user", "--map-root-user", "--mount"]
    if (
        not shutil.which("unshare")
        or subprocess.run([*apart, "true"], capture_output=True, check=False).returncode
    ):
        pytest.skip("this system lets nobody mount in a namespace of his own")

    def run(program: str) -> dict[str, Any]:
        code = PRELUDE + textwrap.dedent(program)
        done = subprocess.run(
            [*apart, sys.executable, "-c", code, tmp_path],
            capture_output=True,
            text=True,
            check=False,
            env=os.environ | {"COLUMNS": "100"},
        )
        assert done.returncode == 0, done.stderr
        (line,) = [x for x in done.stdout.splitlines() if x.startswith("FACTS ")]
        found: dict[str, Any] = json.loads(line.removeprefix("FACTS "))
        return found

    return run


def test_music_is_on_the_shelf_when_a_stick_is_plugged_in(car: Any, tmp_path: Path) -> None:
    facts = car("""
        place = plug_in("media/1A2B-3C4D")
        status = stick(loaded, place, medium="1A2B-3C4D", label="SUMMER")
        shelf = open_index(index).shelf()
        tell(status=status, sources=sources(), shelf=len(shelf), names=shelf.source_names)
    """)
    place = str(tmp_path / "media" / "1A2B-3C4D")
    assert facts["status"] == 0
    assert facts["sources"] == [[place, "SUMMER", "1A2B-3C4D", 3]]
    assert facts["shelf"] == 3
    assert place in facts["names"]


def test_stick_keeps_its_tracks_and_moods_when_it_comes_back_elsewhere(car: Any) -> None:
    facts = car("""
        first = plug_in("media/one")
        stick(loaded, first, medium="1A2B-3C4D", label="SUMMER")
        before = tracks()
        with Store(index) as store:
            claim = Claim(source=MoodSource.HAND, mood=Mood.SAD, confidence=1.0)
            store.claim(before[songs[0].name], claim)
        pull_out(first)
        second = plug_in("media/two", count=0)
        for song in songs:
            shutil.copy2(song, second)
        stick(loaded, second, medium="1A2B-3C4D", label="SUMMER")
        with Store(index) as store:
            mood = store.row(before[songs[0].name]).mood
        tell(same=before == tracks(), mood=mood, places=[s[0] for s in sources()])
    """)
    assert facts["same"]
    assert facts["mood"] == "Sad"
    (place,) = facts["places"]
    assert place.endswith("/media/two")


def test_known_stick_plays_before_it_is_scanned_again_when_it_comes_back_elsewhere(
    car: Any,
) -> None:
    facts = car("""
        first = plug_in("media/one")
        stick(loaded, first, medium="1A2B-3C4D", label="")
        pull_out(first)
        second = plug_in("media/two")
        seen = []
        library_stick.scan = lambda *_, **__: seen.append(open_index(index).shelf()) or 0
        stick(loaded, second, medium="1A2B-3C4D", label="")
        tell(names=seen[0].source_names, paths=[seen[0].track(n).path for n in range(3)])
    """)
    assert facts["names"][1].endswith("/media/two")
    assert all("/media/two/" in path for path in facts["paths"])


def test_nothing_is_lost_when_a_stick_is_pulled_out_before_its_scan(car: Any) -> None:
    facts = car("""
        place = plug_in("media/one")
        stick(loaded, place, medium="1A2B-3C4D", label="")
        pull_out(place)
        try:
            stick(loaded, place, medium="1A2B-3C4D", label="")
        except MoodrideError as error:
            tell(error=str(error), status=error.exit_status, tracks=len(tracks()))
    """)
    assert facts["error"].endswith("nothing is mounted there; plug the stick in again")
    assert facts["status"] == 66
    assert facts["tracks"] == 3


def test_empty_stick_leaves_no_trace_when_it_was_looked_at(car: Any) -> None:
    facts = car("""
        place = plug_in("media/one", count=0)
        (place / "letter.txt").write_text("dear")
        tell(status=stick(loaded, place, medium="1", label="EMPTY"), sources=sources())
    """)
    assert facts == {"status": 0, "sources": []}


def test_both_are_known_when_two_sticks_come_at_once(car: Any) -> None:
    facts = car("""
        places = [plug_in("media/one"), plug_in("media/two")]
        states = {}
        def take(place):
            states[place.name] = stick(loaded, place, medium=place.name, label="")
        threads = [threading.Thread(target=take, args=(place,)) for place in places]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        tell(states=states, sources=sorted(s[2:] for s in sources()))
    """)
    assert facts["states"] == {"one": 0, "two": 0}
    assert facts["sources"] == [["one", 3], ["two", 3]]


def test_odd_name_of_a_stick_is_a_line_when_kept(car: Any) -> None:
    facts = car("""
        place = plug_in("media/one")
        stick(loaded, place, medium="1", label="a" * 5000 + "\\x1b\\n")
        tell(label=sources()[0][1])
    """)
    assert len(facts["label"]) <= 1000
    assert facts["label"].isprintable()


def test_folder_that_is_no_mount_is_refused_when_given(tmp_path: Path) -> None:
    (tmp_path / "moodride.toml").write_text(
        f"[library]\nindex = {json.dumps(str(tmp_path / 'library.sqlite'))}\n"
    )
    loaded = load_config([tmp_path / "moodride.toml"])
    for place in (tmp_path, tmp_path / "nowhere", Path()):
        with pytest.raises(SourceError, match="nothing is mounted there"):
            stick(loaded, place, medium="1", label="")
    assert not (tmp_path / "library.sqlite").exists()


def test_sticks_are_listened_to_one_after_the_other_when_two_are_in(tmp_path: Path) -> None:
    inside = threading.Event()

    def second() -> None:
        with library_stick._turn(tmp_path):
            inside.set()

    with library_stick._turn(tmp_path):
        thread = threading.Thread(target=second)
        thread.start()
        assert not inside.wait(0.2)
    thread.join(10.0)
    assert inside.is_set()
    assert list(tmp_path.iterdir()) == []


def test_new_index_belongs_to_the_service_when_root_was_the_first_to_scan(tmp_path: Path) -> None:
    if os.getuid() != 0:
        pytest.skip("needs root")
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, 65534, 65533)
    index = state / "library.sqlite"
    config = tmp_path / "moodride.toml"
    config.write_text(f"[library]\nindex = {json.dumps(str(index))}\n")
    with opened(load_config([config])):
        pass
    assert (index.stat().st_uid, index.stat().st_gid) == (65534, 65533)
    Store(index).close()
