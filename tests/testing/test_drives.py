"""Synthetic drives: the same for a seed, as hard as they say, and their truth is true."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest

from moodride import wire
from moodride.testing.drives import MIX, Drive, make_drive, make_drives, readings
from moodride.testing.people import Confusion, Person, sample_person, usual_confusion
from moodride.types import EMOTIONS, Emotion

CARD = Path(__file__).parents[2] / "models" / "emotion" / "card.toml"


@pytest.fixture(scope="module")
def confusion() -> Confusion:
    """That of the network we ship."""
    return Confusion.from_counts(tomllib.loads(CARD.read_text())["figures"]["confusion"])


@pytest.fixture(scope="module")
def drives(confusion: Confusion) -> list[Drive]:
    return list(make_drives(40, seed=5, confusion=confusion, per_person=2, hours=0.5))


def test_drive_when_made_again_is_the_same(confusion: Confusion) -> None:
    one, other = (next(make_drives(1, seed=3, confusion=confusion, hours=0.1)) for _ in range(2))
    assert np.array_equal(one.emotion, other.emotion, equal_nan=True)
    assert one.episodes == other.episodes
    third = next(make_drives(1, seed=4, confusion=confusion, hours=0.1))
    assert not np.array_equal(one.t_s[:100], third.t_s[:100])


def test_readings_when_sent_over_the_wire_are_readings(confusion: Confusion) -> None:
    drive = next(make_drives(1, seed=3, confusion=confusion, hours=0.05))
    faces = 0
    for reading in readings(drive):
        document = json.loads(wire.to_json(reading))
        assert wire.decode(wire.encode(reading)).seq == document["seq"]
        faces += reading.face is not None
    assert 0.7 * len(drive.t_s) < faces < len(drive.t_s)


def test_expression_when_it_is_held_is_seen_as_often_as_the_card_says(
    drives: list[Drive], confusion: Confusion
) -> None:
    hits: dict[Emotion, list[float]] = {emotion: [] for emotion in MIX}
    for drive in (d for d in drives if d.person.expressiveness > 0.8):
        for episode in drive.episodes:
            inside = (drive.t_s > episode.onset_s + 4) & (drive.t_s < episode.end_s)
            inside &= ~np.isnan(drive.quality)
            if inside.any():
                seen = drive.emotion[inside].argmax(axis=1) == EMOTIONS.index(episode.emotion)
                hits[episode.emotion].append(float(seen.mean()))
    for emotion in (Emotion.HAPPINESS, Emotion.ANGER):
        recall = confusion.rows[EMOTIONS.index(emotion), EMOTIONS.index(emotion)]
        assert len(hits[emotion]) > 5
        assert recall - 0.15 < np.mean(hits[emotion]) < recall + 0.1


def test_face_at_rest_when_it_looks_sad_is_seen_as_sad_most_of_the_time(
    confusion: Confusion,
) -> None:
    people = [sample_person(np.random.default_rng((9, n)), confusion) for n in range(60)]
    gloomy = [p for p in people if p.resting is Emotion.SADNESS]
    assert 3 <= len(gloomy) <= 20
    rest = np.mean([_at_rest(p, confusion)[EMOTIONS.index(Emotion.SADNESS)] for p in gloomy[:4]])
    plain = [p for p in people if p.resting is None]
    assert rest > 0.3
    assert np.mean([_at_rest(p, confusion)[0] for p in plain[:4]]) > 0.7


def _at_rest(person: Person, confusion: Confusion) -> np.ndarray:
    drive = make_drive(person, np.random.default_rng(1), confusion=confusion, hours=0.2)
    calm = (drive.strength < 0.01) & ~np.isnan(drive.quality)
    return np.asarray(drive.emotion[calm].mean(axis=0))


def test_talk_when_there_is_much_of_it_looks_like_feelings(drives: list[Drive]) -> None:
    talkers = [d for d in drives if d.person.talk > 0.2 and d.person.resting is None]
    assert talkers
    other, rest = [], []
    for drive in talkers:
        plain = (drive.strength < 0.01) & ~np.isnan(drive.quality)
        label = drive.emotion.argmax(axis=1) != 0
        other.append(label[plain & (np.nan_to_num(drive.mouth_moves) > 0.5)].mean())
        rest.append(label[plain & (np.nan_to_num(drive.mouth_moves) < 0.1)].mean())
    assert np.mean(other) > np.mean(rest) + 0.1


def test_episodes_when_many_never_overlap(drives: list[Drive]) -> None:
    for drive in drives:
        ends = [e.end_s for e in drive.episodes]
        starts = [e.onset_s for e in drive.episodes]
        assert all(end < start for end, start in zip(ends, starts[1:], strict=False))


@pytest.mark.parametrize("counts", [[], [[1, 2]], [[-1] * 8] * 8])
def test_confusion_when_no_table_of_counts_is_refused(counts: list[list[int]]) -> None:
    with pytest.raises(ValueError, match="confusion"):
        Confusion.from_counts(counts)
    assert usual_confusion().rows.sum(axis=1) == pytest.approx(np.ones(8))
