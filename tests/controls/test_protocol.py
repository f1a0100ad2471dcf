"""What may be asked, and what is refused: every word of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodride.controls.press import MEANINGS, Gesture
from moodride.controls.protocol import (
    MAX_ANSWER,
    MOOD_NAMES,
    PRESS_NAMES,
    AskMood,
    AskPress,
    AskQuit,
    AskReload,
    AskStatus,
    AskVolume,
    Code,
    Refusal,
    answer_line,
    read_request,
    refusal_line,
    request_line,
)
from moodride.types import Mood, PressKind


def read(**message: object) -> Any:
    return read_request(json.dumps(message).encode())


def test_request_when_well_formed_is_understood_with_and_without_a_version() -> None:
    for version in ({}, {"v": 1}):
        assert read(**version, ask="status") == AskStatus()
        assert read(**version, ask="press", kind="next") == AskPress(PressKind.NEXT)
        assert read(**version, ask="press", kind="very-long") == AskPress(Gesture.VERY_LONG)
        assert read(**version, ask="mood", mood="calm") == AskMood(Mood.CALM)
        assert read(**version, ask="reload") == AskReload()
        assert read(**version, ask="quit") == AskQuit()


def test_press_when_named_knows_every_gesture_and_every_meaning() -> None:
    assert set(PRESS_NAMES) == {*map(str, MEANINGS), *map(str, PressKind)}
    for name, kind in PRESS_NAMES.items():
        assert read(ask="press", kind=name) == AskPress(kind)


@pytest.mark.parametrize("name", ["happy", "Happy", "HAPPY", "energetic", "sad", "Calm"])
def test_mood_when_named_in_any_case_is_that_mood(name: str) -> None:
    assert read(ask="mood", mood=name) == AskMood(Mood(name.capitalize()))


def test_mood_when_automatic_is_none() -> None:
    assert read(ask="mood", mood="Automatic") == AskMood(None)
    assert set(MOOD_NAMES) == {"happy", "sad", "calm", "energetic", "automatic"}


@pytest.mark.parametrize(
    ("volume", "pct", "relative"),
    [
        (0, 0.0, False),
        (100, 100.0, False),
        (33.5, 33.5, False),
        ("+5", 5.0, True),
        ("-5", -5.0, True),
        ("+2.5", 2.5, True),
        ("-100", -100.0, True),
    ],
)
def test_volume_when_sensible_is_understood(volume: object, pct: float, relative: object) -> None:
    assert read(ask="volume", volume=volume) == AskVolume(pct, relative=bool(relative))


@pytest.mark.parametrize(
    "volume",
    [
        *("true", "false", "null", "-1", "100.001", "1e999", "-1e999", "9" * 4000),
        *('"40"', '"+"', '"+1e3"', '"+101"', '"++5"', '"+5 "', '"+\\u0665"', '"+nan"', '"+inf"'),
        *("[5]", '{"pct": 5}', '""'),
    ],
)
def test_volume_when_it_is_none_is_refused(volume: str) -> None:
    refused = read_request(b'{"ask": "volume", "volume": ' + volume.encode() + b"}")
    assert isinstance(refused, Refusal)
    assert refused.code == Code.BAD_VALUE


@pytest.mark.parametrize("volume", ["NaN", "Infinity", "-Infinity"])
def test_volume_when_no_number_of_json_is_no_json(volume: str) -> None:
    refused = read_request(b'{"ask": "volume", "volume": ' + volume.encode() + b"}")
    assert isinstance(refused, Refusal)
    assert refused.code == Code.BAD_REQUEST


@pytest.mark.parametrize("version", [0, 2, -1, 1.0, True, False, None, "1", [1], {}, 10**400])
def test_version_when_another_is_refused_with_those_known(version: object) -> None:
    refused = read(v=version, ask="status")
    assert refused.code == Code.UNKNOWN_VERSION
    assert json.loads(refusal_line(refused)) == {
        "v": 1,
        "ok": False,
        "code": "unknown-version",
        "error": "this service speaks version 1 alone",
        "versions": [1],
    }


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nonsense",
        b"{",
        b"[]",
        b"null",
        b"5",
        b'"status"',
        b'\xff\xfe{"ask": "status"}',
        b"[" * 4000,
        b"{" * 4000,
        b'{"a":' * 800,
        b"1" * 4095,
        b"\0" * 100,
    ],
)
def test_request_when_no_object_is_refused(line: bytes) -> None:
    refused = read_request(line)
    assert isinstance(refused, Refusal)
    assert refused.code == Code.BAD_REQUEST


@pytest.mark.parametrize("name", [None, "sing", "", "STATUS", 5, ["status"], {}, True])
def test_ask_when_unknown_is_refused_with_those_known(name: object) -> None:
    refused = read(ask=name)
    assert refused.code == Code.UNKNOWN_ASK
    assert "status, press, mood, volume, reload, quit" in refused.why


@pytest.mark.parametrize("kind", [None, "nxt", "touch", "", ["next"], {}, 5, True])
def test_press_and_mood_when_unknown_are_refused(kind: object) -> None:
    assert read(ask="press", kind=kind).code == Code.BAD_VALUE
    assert read(ask="mood", mood=kind).code == Code.BAD_VALUE
    assert read(ask="press").code == Code.BAD_VALUE
    assert read(ask="mood").code == Code.BAD_VALUE


@pytest.mark.parametrize(
    "message",
    [
        {"ask": "status", "knd": 1},
        {"ask": "press", "kind": "next", "times": 3},
        {"ask": "quit", "force": True},
    ],
)
def test_request_when_it_says_more_than_is_understood_is_refused(
    message: dict[str, object],
) -> None:
    assert read(**message).code == Code.BAD_REQUEST


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8")))
def test_garbage_when_read_is_refused_and_raises_nothing(line: bytes) -> None:
    assert isinstance(read_request(line), Refusal)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@given(
    st.fixed_dictionaries(
        {"ask": st.sampled_from(["status", "press", "mood", "volume", "reload", "quit"])},
        optional={"v": JSON, "kind": JSON, "mood": JSON, "volume": JSON, "more": JSON},
    )
)
def test_request_when_of_any_shape_raises_nothing_and_its_volume_is_in_range(
    message: dict[str, object],
) -> None:
    request = read_request(json.dumps(message).encode())
    if isinstance(request, AskVolume):
        assert (-100.0 if request.relative else 0.0) <= request.pct <= 100.0
    if isinstance(request, Refusal):
        line = refusal_line(request)
        assert json.loads(line)["error"]
        assert line.count(b"\n") == 1


def test_request_line_when_made_names_its_version() -> None:
    assert request_line({"ask": "status"}) == b'{"v": 1, "ask": "status"}\n'


def test_answer_when_it_holds_anything_is_one_line_of_plain_ascii() -> None:
    line = answer_line(status={"track": "Ein Stück\nund\u2028mehr"})
    assert line.endswith(b"\n")
    assert line.isascii()
    assert line.count(b"\n") == 1


def test_answer_when_above_its_limit_is_not_made() -> None:
    assert len(answer_line(x="y" * (MAX_ANSWER - 40))) <= MAX_ANSWER
    with pytest.raises(ValueError, match="above"):
        answer_line(x="y" * MAX_ANSWER)
    with pytest.raises(ValueError, match="JSON"):
        answer_line(x=float("nan"))
