"""The journeys again on the real parts: libmpv, files, sockets, processes, the ignition line.

Nothing here is timed: each step waits until it can be seen, for long if need be.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from real_car_kit import real_car
from service_kit import RATE_HZ, longest_gap_s, playing, position_s, sound_of

from moodride.memory.slots import SlotFile
from moodride.types import MOODS, Emotion

CUTS = 3


def heard_until(path: Path) -> float:
    """Where in its track a sound ended, seconds."""
    sound = sound_of(path)
    return position_s(sound, len(sound) / RATE_HZ - 0.1)


def sounds(path: Path) -> bool:
    return bool(np.abs(sound_of(path)).max(initial=0.0) > 0.05)


def played_s(path: Path) -> float:
    return len(sound_of(path)) / RATE_HZ


def on_stick(track_id: str) -> bool:
    """Ids of scanned files are made of hexadecimal digits, those of the catalogue of words."""
    return len(track_id) == 32 and "-" not in track_id


def parked(status: dict[str, Any]) -> bool:
    return bool(status["ignition"]["parked"])


def test_drive_that_ends_with_a_power_cut_and_goes_on(tmp_path: Path) -> None:
    with real_car(tmp_path) as car:
        first, second = tmp_path / "first.wav", tmp_path / "second.wav"
        car.output(f"pcm:{first}")
        music = car.run()
        car.wait_until(lambda s: playing(s) and s["ignition"]["on"])
        car.wait_until(lambda _: sounds(first))
        for on in (False, True):  # the starter
            car.turn_key(on=on)
            status = car.wait_until(lambda s, on=on: s["ignition"]["on"] is on)
            assert not parked(status)
        calm = car.looks(Emotion.ANGER, lambda s: s["track"]["mood"] == "Calm" and playing(s))
        assert "anger" in calm["mood"]["why"]
        car.looks(None, lambda s: s["vision"]["reading"] and not s["vision"]["reading"]["face"])
        assert car.status()["mood"]["plan"] == ["Calm"], "a tunnel changes nothing"
        assert car.ask(ask="press", kind="double")["means"] == "next-mood"
        sad = car.wait_until(lambda s: playing(s) and s["track"]["mood"] == "Sad")
        assert sad["mood"]["by_hand"]
        car.ask(ask="volume", volume=45)
        car.ask(ask="press", kind="very-long")
        car.wait_for_file(tmp_path / "run" / "camera.off")
        assert not (tmp_path / "run" / "camera.on").exists()
        left = car.wait_until(
            lambda s: s["track"]["position_s"] > 4.0 and s["playback"]["volume_pct"] == 45.0
        )
        saved_s = left["track"]["position_s"]

        def kept(_: object) -> bool:
            try:
                pages = SlotFile(tmp_path / "state" / "resume.slots").read()
                points = [json.loads(page)["point"] for page in pages if page]
            except (OSError, ValueError):  # not there yet, or just being written
                return False
            return any(p["volume_pct"] == 45.0 and p["position_s"] >= saved_s for p in points)

        car.wait_until(kept)
        music.kill()
        music.wait()

        car.output(f"pcm:{second}")
        car.run()
        after = car.wait_until(playing)
        assert after["track"]["id"] == left["track"]["id"]
        assert after["mood"]["by_hand"]
        assert after["playback"]["volume_pct"] == 45.0
        assert not after["camera"]["on"], "it stays off"
        car.wait_until(lambda _: played_s(second) > 3.0)
        assert (tmp_path / "run" / "camera.off").exists()
        assert not (tmp_path / "run" / "camera.on").exists()
        assert after["problems"] == []
        assert "Traceback" not in car.log("run")
    killed_s = heard_until(first)
    sound = sound_of(second)
    begins_s = int(np.argmax(np.abs(sound) > 0.005)) / RATE_HZ
    resumed_s = position_s(sound, begins_s + 0.1)
    assert saved_s - 3.5 < resumed_s < killed_s
    body = sound_of(first)
    body = body[int(np.argmax(np.abs(body) > 0.02)) :]
    assert longest_gap_s(body, level=0.0005) < 0.6, "fades, and no holes"


def test_car_that_is_parked_and_left_and_driven_again(tmp_path: Path) -> None:
    with real_car(tmp_path) as car:
        car.ignition = "ignore_below_s = 0.5\noff_after_s = 2.0\n"
        car.output("null")
        music = car.run()
        car.wait_until(lambda s: playing(s) and s["ignition"]["on"])
        car.ask(ask="mood", mood="calm")
        before = car.wait_until(lambda s: playing(s) and s["track"]["mood"] == "Calm")
        request = tmp_path / "run" / "power.off"
        car.turn_key(on=False)
        car.wait_for_file(request)
        rests = car.wait_until(lambda s: s["playback"]["still"] and parked(s))
        assert rests["track"]["id"] == before["track"]["id"]
        assert rests["sign"] == "off"
        car.turn_key(on=True)
        car.wait_for_file(request, there=False)
        stood_s = rests["track"]["position_s"]
        again = car.wait_until(lambda s: s["track"]["position_s"] > stood_s + 1.0)
        assert again["track"]["id"] == before["track"]["id"], "as if nothing was"
        assert not again["playback"]["still"]
        car.turn_key(on=False)
        car.wait_for_file(request)
        left = car.wait_until(lambda s: s["playback"]["still"])
        music.terminate()
        assert music.wait(30) == 0

        car.turn_key(on=True)
        car.run()
        after = car.wait_until(lambda s: playing(s) and s["ignition"]["on"])
        assert after["track"]["id"] == left["track"]["id"]
        assert not after["mood"]["by_hand"], "that drive was over"
        car.wait_for_file(request, there=False)
        assert "Traceback" not in car.log("run")


def test_stick_that_is_pulled_and_put_back_on_the_way(tmp_path: Path) -> None:
    with real_car(tmp_path) as car:
        stick = tmp_path / "stick"
        stick.mkdir()
        for mood in MOODS:
            (stick / mood.value).mkdir()
            source = tmp_path / "music" / f"{mood.value.lower()}-0.wav"
            (stick / mood.value / f"Tones - {mood.value}.wav").write_bytes(source.read_bytes())
        scan = car.start("library", "scan", str(stick), log="scan")
        assert scan.wait(60) == 0, car.log("scan")
        music = car.run()
        there = car.wait_until(playing)
        assert there["library"]["tracks"] == len(MOODS)
        stick.rename(tmp_path / "pulled")
        car.wait_until(lambda s: s["library"]["where"] == str(car.catalogue))
        car.wait_until(lambda s: s["queue"] and not any(on_stick(t["id"]) for t in s["queue"]))
        assert on_stick(there["track"]["id"])
        car.press("next")
        other = car.wait_until(lambda s: playing(s) and not on_stick(s["track"]["id"]))
        assert other["playback"]["unplayable"] == []
        (tmp_path / "pulled").rename(stick)
        car.wait_until(lambda s: s["library"]["tracks"] == len(MOODS))
        car.wait_until(lambda s: playing(s) and len(s["queue"]) >= 2)
        assert music.poll() is None
        assert "Traceback" not in car.log("run")


def test_power_cut_again_and_again_never_loses_the_way(tmp_path: Path) -> None:
    with real_car(tmp_path) as car:
        seen: dict[str, Any] = {}
        for cut in range(CUTS):
            music = car.run()
            now = car.wait_until(playing)
            if seen:
                assert now["track"]["id"] == seen["track"]["id"]
                assert now["track"]["position_s"] > seen["track"]["position_s"] - 5.5
                assert now["mood"]["by_hand"] is seen["mood"]["by_hand"]
                assert now["camera"] == seen["camera"]
                assert now["problems"] == []
            if cut == 0:
                car.ask(ask="mood", mood="energetic")
                car.wait_until(lambda s: playing(s) and s["track"]["mood"] == "Energetic")
            if cut == 1:
                car.ask(ask="press", kind="camera")
                car.wait_until(lambda s: not s["camera"]["on"])
                car.wait_for_file(tmp_path / "state" / "camera.off")
            begun_s = car.status()["track"]["position_s"]
            seen = car.wait_until(lambda s, b=begun_s: s["track"]["position_s"] > b + 1.0)
            music.kill()
            music.wait()
        assert not list((tmp_path / "state").glob("*damaged*"))


def test_readings_from_a_camera_that_is_off_change_nothing(tmp_path: Path) -> None:
    with real_car(tmp_path) as car:
        car.run()
        car.wait_until(playing)
        car.ask(ask="press", kind="camera")
        car.wait_until(lambda s: not s["camera"]["on"])
        before = car.status()["readings"]["received"]
        after = car.looks(Emotion.ANGER, lambda s: s["readings"]["received"] > before + 20)
        assert after["mood"]["plan"] == ["Happy"], "late readings are of a camera that was off"
        assert after["vision"]["reading"] is None
