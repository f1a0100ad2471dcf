"""What a worker says is read with suspicion: it decodes what anyone may have made."""

from __future__ import annotations

import json
from typing import Any

import pytest

from moodride.intake.sound.messages import LINE_MAX, Answer, Outcome, read_answer, write_answer
from moodride.library.records import Claim, MoodSource, Sound
from moodride.types import Mood

SOUND = Sound(
    loudness_db=-12.5,
    range_lu=4.0,
    peak_db=-0.3,
    tempo_bpm=121.0,
    key=4,
    minor=True,
    measures={"pulse": 0.5},
)
CLAIM = Claim(
    source=MoodSource.SOUND, mood=Mood.CALM, confidence=0.6, valence=0.4, energy=0.2, note="x"
)
MEASURED = Answer(outcome=Outcome.MEASURED, sound=SOUND, claim=CLAIM)


def said(**changes: Any) -> bytes:
    tree = json.loads(write_answer(MEASURED))
    for path, value in changes.items():
        *way, last = path.split("__")
        place = tree
        for step in way:
            place = place[step]
        place[last] = value
    return json.dumps(tree).encode()


@pytest.mark.parametrize(
    "answer",
    [
        MEASURED,
        Answer(outcome=Outcome.MEASURED, sound=SOUND),
        Answer(outcome=Outcome.FAILED, why="no sound: \udcff"),
        Answer(outcome=Outcome.AWAY, why="gone"),
    ],
)
def test_answer_is_the_same_when_it_was_read(answer: Answer) -> None:
    line = write_answer(answer)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert read_answer(line) == answer


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"hello",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"outcome": "measured"}',
        b'{"outcome": "owned", "why": ""}',
        b"[" * 20_000,
        said(sound=None),
        said(sound__loudness_db="loud"),
        said(sound__loudness_db=float("nan")),
        said(sound__peak_db=float("inf")),
        said(sound__tempo_bpm=True),
        said(sound__measures=7),
        said(sound__measures={"pulse": [1]}),
        said(sound__key="C"),
        said(claim__mood="Furious"),
        said(claim__confidence=None),
    ],
)
def test_nonsense_is_refused_as_one_kind_of_error(line: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the kind is what matters
        read_answer(line)


def test_claim_is_of_the_sound_whatever_the_worker_says() -> None:
    answer = read_answer(said(claim__source="hand"))
    assert answer.claim is not None
    assert answer.claim.source is MoodSource.SOUND


def test_much_is_cut_when_worker_talks_too_much() -> None:
    measures = {f"m{n}": 1.0 for n in range(1000)}
    answer = read_answer(said(sound__measures=measures, why="y" * LINE_MAX, sound__key=40))
    assert answer.sound is not None
    assert len(answer.sound.measures) == 64
    assert len(answer.why) == 1000
    assert answer.sound.key == 4
