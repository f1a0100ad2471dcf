"""What is granted at the control socket, and how often."""

from __future__ import annotations

import json
import queue
from typing import Any

import pytest

from moodride.controls.desk import (
    ALL_BURST,
    ALL_RATE_HZ,
    BURST,
    MAX_WAITING,
    RATE_HZ,
    Desk,
    Peer,
    Steering,
)
from moodride.controls.press import MEANINGS, Gesture
from moodride.controls.protocol import AskQuit, AskReload
from moodride.types import Mood, MoodChosen, Press, PressKind, VolumeChosen

SOURCE = "control socket"


class Table:
    """A desk whose clock a test moves."""

    def __init__(self, **parts: Any) -> None:
        self.now_s = 1000.0
        self.status: Any = {"playback": {"volume_pct": 40.0}}
        self.steered: list[Steering] = []
        self.desk = Desk(
            status=lambda: self.status,
            put=self.steered.append,
            clock=lambda: self.now_s,
            **parts,
        )

    def ask(self, pid: int = 1, **message: object) -> dict[str, Any]:
        answer = self.desk.answer(json.dumps(message).encode(), Peer(pid, 1000))
        assert isinstance(answer, bytes)
        document: dict[str, Any] = json.loads(answer)
        assert document["v"] == 1
        return document


def test_status_when_asked_is_the_published_one() -> None:
    table = Table()
    assert table.ask(ask="status") == {"v": 1, "ok": True, "status": table.status}


def test_gesture_when_pressed_means_what_is_configured() -> None:
    meanings = {Gesture.SHORT: PressKind.PLAY_PAUSE, Gesture.LONG: PressKind.NEXT}
    table = Table(meanings=meanings)
    assert table.ask(ask="press", kind="short")["means"] == "play-pause"
    assert table.ask(ask="press", kind="long")["means"] == "next"
    assert table.ask(ask="press", kind="camera")["means"] == "camera"
    assert table.steered == [
        Press(kind=PressKind.PLAY_PAUSE, source=SOURCE),
        Press(kind=PressKind.NEXT, source=SOURCE),
        Press(kind=PressKind.CAMERA, source=SOURCE),
    ]


def test_gesture_when_it_means_nothing_is_granted_and_does_nothing() -> None:
    table = Table(meanings={})
    for gesture in MEANINGS:
        assert table.ask(ask="press", kind=gesture) == {"v": 1, "ok": True, "means": "nothing"}
    assert table.steered == []


def test_mood_when_asked_goes_on_the_queue() -> None:
    table = Table()
    assert table.ask(ask="mood", mood="Calm") == {"v": 1, "ok": True, "mood": "calm"}
    assert table.ask(ask="mood", mood="automatic")["mood"] == "automatic"
    assert table.steered == [
        MoodChosen(mood=Mood.CALM, source=SOURCE),
        MoodChosen(mood=None, source=SOURCE),
    ]


def test_volume_when_a_number_is_set() -> None:
    table = Table()
    assert table.ask(ask="volume", volume=12.5) == {"v": 1, "ok": True, "volume": 12.5}
    assert table.steered == [VolumeChosen(volume_pct=12.5, source=SOURCE)]


def test_volume_when_stepped_starts_from_the_published_one() -> None:
    table = Table()
    assert table.ask(ask="volume", volume="+5")["volume"] == 45.0


def test_volume_when_stepped_twice_before_it_is_published_counts_both() -> None:
    table = Table()
    for expected in (45.0, 50.0, 55.0):
        assert table.ask(ask="volume", volume="+5")["volume"] == expected
        table.now_s += 0.2
    assert table.ask(ask="volume", volume="-55")["volume"] == 0.0


def test_volume_when_stepped_later_starts_from_the_published_one_again() -> None:
    table = Table()
    table.ask(ask="volume", volume="+5")
    table.now_s += 5.0
    table.status = {"playback": {"volume_pct": 20.0}}  # somebody turned the knob
    assert table.ask(ask="volume", volume="+5")["volume"] == 25.0


def test_volume_when_stepped_while_it_is_being_published_counts_each_step() -> None:
    table = Table()
    for expected in (45.0, 50.0, 55.0):
        assert table.ask(ask="volume", volume="+5")["volume"] == expected
    table.status = {"playback": {"volume_pct": 45.0}}  # the first of them is done
    assert table.ask(ask="volume", volume="+5")["volume"] == 60.0


def test_volume_when_somebody_else_stepped_meanwhile_starts_from_there() -> None:
    table = Table()
    assert table.ask(ask="volume", volume="+5")["volume"] == 45.0
    table.now_s += 0.5
    table.status = {"playback": {"volume_pct": 50.0}}  # the wheel's key came after it
    assert table.ask(ask="volume", volume="+5")["volume"] == 55.0
    assert table.ask(ask="volume", volume=20)["volume"] == 20.0
    table.now_s += 0.5
    table.status = {"playback": {"volume_pct": 30.0}}
    assert table.ask(ask="volume", volume="-5")["volume"] == 25.0


@pytest.mark.parametrize("kind", ["volume-down", "short"])
def test_volume_when_a_press_here_steps_it_back_starts_from_the_published_one(kind: str) -> None:
    table = Table(meanings={Gesture.SHORT: PressKind.VOLUME_DOWN})
    assert table.ask(ask="volume", volume="+5")["volume"] == 45.0
    assert table.ask(ask="press", kind=kind)["means"] == "volume-down"
    table.now_s += 0.5  # it is published as it was before both
    assert table.ask(ask="volume", volume="+5")["volume"] == 45.0


@pytest.mark.parametrize(("step", "expected"), [("+90", 100.0), ("-90", 0.0)])
def test_volume_when_stepped_over_an_end_stays_there(step: str, expected: float) -> None:
    assert Table().ask(ask="volume", volume=step)["volume"] == expected


@pytest.mark.parametrize("status", [{}, {"playback": None}, {"playback": {}}, {"playback": 5}])
def test_volume_when_stepped_before_it_is_known_is_refused(status: object) -> None:
    table = Table()
    table.status = status
    answer = table.ask(ask="volume", volume="+5")
    assert answer["code"] == "bad-value"
    assert "not known yet" in answer["error"]
    assert table.steered == []
    assert table.ask(ask="volume", volume=5)["ok"]


def test_reload_and_quit_when_asked_are_left_to_the_caller() -> None:
    table = Table(reload=lambda: {"changed": ["x"]}, quit=lambda: None)
    assert table.desk.answer(b'{"ask": "reload"}', Peer()) == AskReload()
    assert table.desk.answer(b'{"ask": "quit"}', Peer()) == AskQuit()
    assert json.loads(table.desk.reload()) == {"v": 1, "ok": True, "reload": {"changed": ["x"]}}


def test_reload_and_quit_when_asked_note_who_it_was(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    table = Table(reload=dict, quit=lambda: None)
    table.desk.answer(b'{"ask": "quit"}', Peer(pid=77, uid=1000))
    assert "quit asked for by user 1000, process 77" in caplog.text


def test_reload_and_quit_when_the_service_has_none_are_refused() -> None:
    table = Table()
    assert table.ask(ask="reload")["code"] == "unknown-ask"
    assert table.ask(ask="quit")["code"] == "unknown-ask"


@pytest.mark.parametrize("report", [5, {"x": object()}, {"x": float("nan")}])
def test_reload_when_it_fails_is_refused_and_logged(
    report: object, caplog: pytest.LogCaptureFixture
) -> None:
    answer = json.loads(Table(reload=lambda: report).desk.reload())
    assert answer["code"] == "failed"
    assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    "broken", [{"x": float("nan")}, {"x": object()}, {"x": "y" * 300_000}, 5, None]
)
def test_status_when_it_cannot_be_told_is_refused_and_logged(
    broken: object, caplog: pytest.LogCaptureFixture
) -> None:
    table = Table()
    table.status = broken
    answer = table.ask(ask="status")
    assert answer["code"] == "failed"
    assert "the log says why" in answer["error"]
    assert "Traceback" in caplog.text
    assert table.ask(ask="press", kind="next")["ok"]


def test_press_when_it_is_not_taken_is_refused() -> None:
    def full(_: Steering) -> None:
        raise queue.Full

    desk = Desk(status=dict, put=full)
    assert json.loads(desk.answer(b'{"ask": "press", "kind": "next"}', Peer()))["code"] == "failed"
    assert json.loads(desk.answer(b'{"ask": "status"}', Peer()))["ok"]


def test_flood_of_one_process_when_it_lasts_passes_at_the_rate_of_a_hand() -> None:
    table = Table()
    refused: dict[str, Any] = {}
    for _ in range(10_000):  # in ten seconds
        table.now_s += 0.001
        answer = table.ask(ask="press", kind="next")
        refused = refused if answer["ok"] else answer
    assert len(table.steered) == pytest.approx(BURST + 10.0 * RATE_HZ, abs=1.0)
    assert refused["code"] == "too-many"
    assert "wait a moment" in refused["error"]


def test_hand_when_as_fast_as_one_can_always_passes_beside_a_flood() -> None:
    table = Table()
    for tick in range(6000):  # a minute
        table.now_s += 0.01
        for pid in (7, 8):
            table.ask(pid, ask="press", kind="next")
        if tick % 12 == 0:
            assert table.ask(1, ask="press", kind="next")["ok"]


def test_flood_of_many_processes_when_it_lasts_is_bounded_all_the_same() -> None:
    table = Table()
    for turn in range(10_000):
        table.now_s += 0.001
        table.ask(turn, ask="volume", volume=turn % 100)
    assert len(table.steered) <= ALL_BURST + 10.0 * ALL_RATE_HZ + 1
    assert len(table.desk._each) <= 256


def test_flood_when_the_machine_is_slow_never_leaves_much_waiting() -> None:
    table = Table(waiting=lambda: len(table.steered) - done)
    done, most = 0, 0
    for turn in range(20_000):  # twenty seconds, and five done in each
        table.now_s += 0.001
        done += turn % 200 == 0 and done < len(table.steered)
        table.ask(turn % 5, ask="press", kind="next")
        most = max(most, len(table.steered) - done)
    assert most == MAX_WAITING
    assert table.ask(ask="press", kind="next")["code"] == "too-many"
    done = len(table.steered)
    table.now_s += 1.0
    assert table.ask(ask="press", kind="next")["ok"]


def test_flood_when_refused_is_a_few_lines_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    table = Table()
    for _ in range(5000):
        table.ask(ask="press", kind="next")
    assert 1 <= len(caplog.records) <= 14


def test_status_when_steering_is_refused_is_still_told() -> None:
    table = Table()
    for _ in range(100):
        table.ask(ask="press", kind="next")
    assert table.ask(ask="status")["ok"]
