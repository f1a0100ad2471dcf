"""Kill and stop what can be killed and stopped, and listen to what is heard."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from service_kit import RATE_HZ, film, longest_gap_s, playing, position_s, rig, sound_of

from moodride.config import READINGS
from moodride.memory.slots import SlotFile


def test_music_when_vision_is_stopped_and_killed_goes_on_without_a_gap(tmp_path: Path) -> None:
    source = film(tmp_path / "film.avi")
    with rig(tmp_path, seconds=6.0) as car:
        wav = tmp_path / "heard.wav"
        car.output(f"pcm:{wav}")
        music = car.start("run")
        car.until(lambda s: playing(s) and len(sound_of(wav)))
        before_s, began = len(sound_of(wav)) / RATE_HZ, time.monotonic()
        vision = car.start("watch", "--source", str(source), "--loop")
        alive = car.until(lambda s: s["vision"]["alive"])
        vision.send_signal(signal.SIGSTOP)
        car.until(lambda s: not s["vision"]["alive"])
        vision.send_signal(signal.SIGCONT)
        car.until(lambda s: s["vision"]["alive"])
        vision.kill()
        vision.wait()
        car.until(lambda s: not s["vision"]["alive"])
        second = car.start("watch", "--source", str(source), "--loop")
        after = car.until(lambda s: s["vision"]["alive"])
        second.kill()
        assert music.poll() is None
        assert after["readings"]["received"] > alive["readings"]["received"]
        assert after["readings"]["refused"] == 0
        lasted_s = time.monotonic() - began
    sound = sound_of(wav)
    assert len(sound) / RATE_HZ - before_s > lasted_s - 2.0, "it never stood still"
    body = sound[:-RATE_HZ]  # the last second holds the fade-out of the end
    first = int(np.argmax(np.abs(body) > 0.02))
    assert longest_gap_s(body[first:]) == 0.0, "also where one track follows another"


def plays(state: Path) -> list[str]:
    """What the history on the disk holds."""
    journal = sqlite3.connect(f"{(state / 'journal.sqlite').as_uri()}?mode=ro", uri=True)
    with closing(journal):
        return [row[0] for row in journal.execute("SELECT track_id FROM plays")]


def kept_by_hand(state: Path) -> list[str]:
    """The moods by hand in the generations of the resume point on the disk."""
    try:
        pages = SlotFile(state / "resume.slots").read()
        return [json.loads(page)["point"]["hand_mood"] for page in pages if page]
    except (OSError, ValueError):  # not there yet, or just being written
        return []


def test_music_when_killed_resumes_the_track_near_where_it_was(tmp_path: Path) -> None:
    with rig(tmp_path, seconds=40.0, config="[memory]\nsave_every_s = 1.0\n") as car:
        first, second = tmp_path / "first.wav", tmp_path / "second.wav"
        car.output(f"pcm:{first}")
        music = car.start("run")
        left = car.until(playing)["track"]["id"]
        car.press("next")
        # What is published may be of the moment before the press.
        car.until(lambda s: playing(s) and s["track"]["id"] != left)
        before = car.until(lambda s: playing(s) and s["track"]["position_s"] > 4.0)
        music.kill()
        music.wait()
        car.output(f"pcm:{second}")
        car.start("run")
        after = car.until(playing)
        assert after["track"]["id"] == before["track"]["id"]
        assert [t["id"] for t in after["queue"]] == [t["id"] for t in before["queue"]]
        assert after["track"]["why"] == "resumed from the last drive"
        car.until(lambda s: s["track"]["position_s"] > after["track"]["position_s"] + 2.0)
    killed_at = position_s(sound_of(first), len(sound_of(first)) / RATE_HZ - 0.1)
    heard = sound_of(second)
    begins = int(np.argmax(np.abs(heard) > 0.02)) / RATE_HZ
    resumed_at = position_s(heard, begins + 0.1)
    assert killed_at - 6.0 < resumed_at < killed_at - 2.5, "three seconds earlier"
    assert resumed_at == pytest.approx(after["track"]["position_s"], abs=2.5)


def test_mood_by_hand_when_music_is_killed_still_holds(tmp_path: Path) -> None:
    with rig(tmp_path) as car:
        music = car.start("run")
        car.until(playing)
        car.press("next-mood")
        car.until(lambda s: playing(s) and s["track"]["mood"] == "Energetic")
        car.until(lambda _: "Energetic" in kept_by_hand(tmp_path / "state"))
        music.kill()
        music.wait()
        car.start("run")
        status = car.until(playing)
        assert status["mood"]["by_hand"]
        assert status["mood"]["plan"] == ["Energetic"]


def test_history_when_music_is_killed_is_kept_and_not_repeated(tmp_path: Path) -> None:
    with rig(tmp_path, seconds=30.0) as car:
        seen = []
        for _ in range(3):
            music = car.start("run")
            status = car.until(playing)
            car.press("next")
            status = car.until(lambda s, b=status: s["track"]["id"] != b["track"]["id"])
            seen.append(status["track"]["id"])
            car.until(lambda s, state=tmp_path / "state": s["track"]["id"] in plays(state))
            music.kill()
            music.wait()
    assert len(set(seen)) == 3, "three tracks of the mood, none twice before all were heard"


def test_processes_when_started_in_either_order_find_each_other(tmp_path: Path) -> None:
    source = film(tmp_path / "film.avi")
    with rig(tmp_path) as car:
        car.start("watch", "--source", str(source), "--loop")
        time.sleep(1.5)
        music = car.start("run")
        car.until(lambda s: s["vision"]["alive"])
        music.terminate()
        assert music.wait(10) == 0
        car.start("run", log="run-again")
        car.until(lambda s: s["vision"]["alive"])


def test_music_when_sent_garbage_goes_on_and_counts_it(tmp_path: Path) -> None:
    with rig(tmp_path) as car:
        music = car.start("run")
        car.until(playing)
        raw = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        for data in (b"", b"\xff" * 900, b"{" * 500, b"NaN", os.urandom(1024)):
            raw.sendto(data, str(tmp_path / "run" / READINGS))
            time.sleep(0.02)
        status = car.until(lambda s: s["readings"]["refused"] == 5)
        assert music.poll() is None
        assert not status["vision"]["alive"]
        assert car.log("run").count("refused a datagram") == 1


def test_music_when_a_track_vanishes_and_another_is_garbage_plays_the_next(tmp_path: Path) -> None:
    with rig(tmp_path, seconds=4.0) as car:
        names = sorted((tmp_path / "music").glob("happy-*.wav"))
        car.start("run")
        status = car.until(playing)
        waiting = [t["id"] for t in status["queue"]]
        for name in names:
            if name.stem == waiting[0]:
                name.unlink()
            elif name.stem == waiting[1]:
                name.write_bytes(os.urandom(5000))
        status = car.until(
            lambda s: playing(s) and s["playback"]["unplayable"] and s["track"]["position_s"] > 1.0,
            within_s=20,
        )
        assert status["track"]["id"] not in status["playback"]["unplayable"]


def test_music_when_started_twice_leaves_the_first_alone(tmp_path: Path) -> None:
    with rig(tmp_path) as car:
        first = car.start("run")
        car.until(playing)
        second = car.start("run", log="second")
        assert second.wait(20) == 69
        lines = [x for x in car.log("second").splitlines() if x.startswith("moodride: ")]
        assert len(lines) == 1
        assert "another moodride is running" in lines[0]
        assert "Traceback" not in car.log("second")
        assert first.poll() is None
        assert playing(car.status())


def test_music_when_terminated_ends_cleanly_and_remembers(tmp_path: Path) -> None:
    with rig(tmp_path) as car:
        music = car.start("run")
        left = car.until(lambda s: playing(s) and s["track"]["position_s"] > 5.0)
        music.terminate()
        assert music.wait(10) == 0
        assert not list((tmp_path / "run").glob("*.sock"))
        car.start("run")
        status = car.until(playing)
        assert status["track"]["id"] == left["track"]["id"]
        assert status["track"]["position_s"] > 1.5, "three seconds earlier than it was left"
