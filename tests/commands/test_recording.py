"""What is no recording: counted, named with its line, never a traceback, never much memory."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import BinaryIO

import pytest
from commands.recordings import lines
from hypothesis import given
from hypothesis import strategies as st

from moodride.commands import recording as module
from moodride.commands.recording import Recording, opened
from moodride.errors import SourceError
from moodride.types import EMOTIONS, CostMs, Emotion, Face, Reading
from moodride.wire import MAX_BYTES, to_json

GOOD = lines((Emotion.ANGER, 1.0))


class Stream(io.RawIOBase):
    """Repeats some bytes for ever, and counts what was taken."""

    def __init__(self, repeated: bytes) -> None:
        self.repeated, self.taken = repeated, 0

    def readline(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        assert 0 < size <= 1 << 16, "reading is bounded"
        line = (self.repeated * (size // len(self.repeated) + 1))[:size]
        line = line[: line.index(b"\n") + 1] if b"\n" in line else line
        self.taken += len(line)
        return line


def read(data: bytes | BinaryIO) -> tuple[Recording, list[Reading]]:
    stream = io.BytesIO(data) if isinstance(data, bytes) else data
    recording = Recording(stream, where="it")
    return recording, list(recording)


def text(*said: str) -> bytes:
    return "\n".join(said).encode(errors="surrogateescape")


def test_recording_when_whole_is_read_without_loss() -> None:
    recording, readings = read(text(*GOOD, ""))
    assert [json.loads(to_json(reading)) for reading in readings] == [json.loads(x) for x in GOOD]
    assert (recording.readings, recording.faces, recording.refused) == (5, 5, 0)
    assert [recording.line_of(n) for n in range(5)] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("bad", "said"),
    [
        ("{", "not a reading"),
        ("[1, 2]", "not a JSON object"),
        ("hello", "not a reading"),
        ('{"v": 2}', "version '2' is not 1"),
        (GOOD[0].replace("0.95", "NaN"), "NaN is not a number"),
        (GOOD[0].replace("0.95", "0.5"), "do not sum to 1"),
        (GOOD[0].replace('"v":1,', '"v":1,"x":0,'), "keys differ"),
        ("[" * 1000, "not a reading"),
        ("x" * (MAX_BYTES + 1), "longer than 1024"),
        ("x" * 500_000, "longer than 1024 bytes"),
        ("\x00\x01\x02", "not a reading"),
        ("\udcff\udcfe", "not text"),
    ],
)
def test_line_when_no_reading_is_counted_and_named(bad: str, said: str) -> None:
    recording, readings = read(text(GOOD[0], bad, GOOD[1]))
    assert len(readings) == 2
    assert recording.refused == 1
    ((line, why),) = recording.problems
    assert line == 2
    assert said in why
    assert "\n" not in why
    assert recording.line_of(1) == 3


def test_line_when_cut_off_at_the_end_says_so() -> None:
    recording, readings = read(text(GOOD[0], GOOD[1][:100]))
    assert len(readings) == 1
    assert recording.problems == [(2, "cut off in the middle")]


def test_line_when_only_its_end_is_missing_is_read() -> None:
    assert read(text(*GOOD))[0].refused == 0


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n", "\n \n"])
def test_lines_when_ended_otherwise_or_blank_are_no_matter(end: str) -> None:
    recording, readings = read(("\ufeff" + end.join(GOOD)).encode())
    assert (len(readings), recording.refused) == (5, 0)


def test_problems_when_many_are_counted_and_the_first_named() -> None:
    recording, readings = read(text(*["x"] * 100, *GOOD))
    assert len(readings) == 5
    assert recording.refused == 100
    assert [line for line, _ in recording.problems] == [1, 2, 3, 4, 5]


def test_film_when_given_by_mistake_is_not_read_to_its_end() -> None:
    stream = Stream(os.urandom(50).replace(b"\n", b"x") + b"\n")
    recording, readings = read(stream)
    assert readings == []
    assert recording.refused == module.HOPELESS


def test_device_when_endless_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_ENDLESS", 1 << 20)
    stream = Stream(b"\0")
    recording, readings = read(stream)
    assert readings == []
    assert stream.taken < 2 << 20
    assert [why for _, why in recording.problems][1].startswith("no line's end in 1 MB")


def test_disk_when_it_fails_under_way_is_one_line() -> None:
    class Worn(io.BytesIO):
        def readline(self, _size: int | None = -1, /) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(SourceError, match=r"^it: cannot be read, input/output error; give a file"):
        read(Worn())


def test_file_when_missing_forbidden_or_a_folder_is_one_line(tmp_path: Path) -> None:
    for name in (str(tmp_path / "none.jsonl"), str(tmp_path), "nul\0byte"):
        with pytest.raises(SourceError, match="cannot be read") as caught, opened(name) as found:
            list(found)
        assert "\n" not in str(caught.value)
        assert "\0" not in str(caught.value)


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_bytes_when_anything_never_raise(parts: list[bytes]) -> None:
    recording, readings = read(b"\n".join(parts))
    assert recording.readings == len(readings) == 0
    assert recording.refused <= sum(part.count(b"\n") + 1 for part in parts)


PROBABILITY = st.floats(0.0, 1.0)


@st.composite
def readings(draw: st.DrawFn) -> Reading:
    """Any reading that the vision process may send."""
    weights = draw(st.lists(st.floats(0.001, 1.0), min_size=8, max_size=8))
    number = st.floats(-9999.0, 9999.0)
    left, top = draw(number), draw(number)
    face = Face(
        box_xyxy=(left, top, left + draw(PROBABILITY) * 500, top + draw(PROBABILITY) * 500),
        score=draw(PROBABILITY),
        landmarks_xy=tuple((draw(number), draw(number)) for _ in range(5)),
        quality=draw(PROBABILITY),
        faces_seen=draw(st.integers(1, 20)),
    )
    seen, valued = draw(st.booleans()), draw(st.booleans())
    return Reading(
        seq=draw(st.integers(0, 2**40)),
        t_s=draw(st.floats(0.0, 1e7)),
        face=face if seen else None,
        emotion=tuple(w / sum(weights) for w in weights) if seen else None,
        valence=draw(st.floats(-1.0, 1.0)) if seen and valued else None,
        arousal=draw(st.floats(-1.0, 1.0)) if seen and valued else None,
        cost_ms=CostMs(capture=draw(st.floats(0.0, 1e4))),
    )


@given(st.lists(readings(), min_size=1, max_size=3))
def test_reading_when_written_and_read_again_is_the_same_but_for_rounding(
    written: list[Reading],
) -> None:
    recording, again = read(text(*(to_json(reading) for reading in written)))
    assert recording.refused == 0
    for one, other in zip(written, again, strict=True):
        assert other.seq == one.seq
        assert other.t_s == pytest.approx(one.t_s, abs=5.1e-4)
        assert (other.emotion is None) is (one.emotion is None)
        for before, after in zip(one.emotion or (), other.emotion or (), strict=True):
            assert after == pytest.approx(before, abs=5.1e-5)
        assert other.arousal == (None if one.arousal is None else round(one.arousal, 3))
        if one.face and other.face:
            assert other.face.quality == pytest.approx(one.face.quality, abs=5.1e-4)
            assert other.face.faces_seen == one.face.faces_seen
        assert set(json.loads(to_json(one))) == set(json.loads(to_json(other)))
    assert len(EMOTIONS) == 8
