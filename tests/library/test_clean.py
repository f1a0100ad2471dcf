from __future__ import annotations

import math
from dataclasses import fields, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from library_kit import made_up_claim, made_up_record, opened

from moodride.library.clean import clean_claim, clean_record, clean_song, clean_sound
from moodride.library.records import (
    Claim,
    FileRecord,
    Link,
    LinkState,
    MoodSource,
    Song,
    Sound,
    Tags,
)
from moodride.library.store import Store
from moodride.types import Mood

NUMBERS = st.none() | st.floats() | st.integers()
TEXTS = st.text(st.characters())  # surrogates and control characters too
TAGS = st.builds(
    Tags,
    **{
        field.name: {"str": TEXTS, "int | None": st.none() | st.integers()}.get(
            str(field.type), NUMBERS
        )
        for field in fields(Tags)
        if field.name != "mood_words"
    },
    mood_words=st.lists(TEXTS).map(tuple),
)


@given(TAGS, TEXTS)
def test_what_is_kept_is_sane_and_stays_so_when_tags_are_absurd(tags: Tags, problem: str) -> None:
    record = FileRecord(path=b"x", size=1, mtime_ns=1, tags=tags, problem=problem)
    cleaned = clean_record(record)
    assert clean_record(cleaned) == cleaned
    texts = [cleaned.problem, *cleaned.tags.mood_words]
    texts += [v for f in fields(Tags) if isinstance(v := getattr(cleaned.tags, f.name), str)]
    for text in texts:
        assert text.encode("utf-8").decode() == text
        assert len(text.splitlines()) <= 1
    for name in ("length_s", "tempo_bpm", "loudness_db", "peak_db"):
        value = getattr(cleaned.tags, name)
        assert value is None or math.isfinite(value)


def test_nothing_is_changed_when_all_makes_sense() -> None:
    record = made_up_record(3)
    assert clean_record(record) == record
    song = Song(
        song_id="x",
        title="\u06a9\u062a\u200c\u06cc \U0001f469\u200d\U0001f680",
        artist="A",
        features={"energy": 1.0},
    )
    assert clean_song(song) == song


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("length_s", n) for n in (-1.0, 0.0, math.nan, math.inf, 1e9)),
        *(("tempo_bpm", n) for n in (-1.0, 0.0, math.nan, math.inf, 1e9)),
        *(("loudness_db", n) for n in (-1e9, math.nan, -math.inf, 99.0)),
        *(("peak_db", n) for n in (-1e9, math.nan, math.inf)),
        *(("year", n) for n in (-5, 0, 10**30)),
        ("track_number", -1),
    ],
)
def test_a_number_is_unknown_when_it_cannot_be(name: str, value: float) -> None:
    tags = replace(made_up_record(0).tags, **{name: value})
    cleaned = clean_record(made_up_record(0, tags=tags)).tags
    assert getattr(cleaned, name) is None
    assert replace(cleaned, **{name: value}) == tags


def test_a_language_is_unknown_when_it_is_no_code() -> None:
    for written, kept in (("EN ", "en"), ("deu", "deu"), ("English", ""), ("x" * 10**6, "")):
        tags = clean_record(made_up_record(0, tags=Tags(language=written))).tags
        assert tags.language == kept


def test_numbers_are_clamped_when_claims_and_sounds_leave_their_range() -> None:
    claim = clean_claim(
        Claim(source=MoodSource.TAG, mood=Mood.SAD, confidence=7.0, valence=-1.0, energy=math.nan)
    )
    assert (claim.confidence, claim.valence, claim.energy) == (1.0, 0.0, None)
    silence = Sound(
        loudness_db=-math.inf, range_lu=math.nan, peak_db=-math.inf, tempo_bpm=math.inf, key=12
    )
    kept = clean_sound(replace(silence, measures={"a": math.nan, "b": 2.0, "c" * 10**6: 1.0}))
    assert kept is not None
    assert (kept.loudness_db, kept.range_lu, kept.peak_db, kept.tempo_bpm) == (-70, 0, -100, 1000)
    assert (kept.key, kept.measures) == (None, {"b": 2.0, "c" * 100: 1.0})
    assert clean_sound(replace(silence, loudness_db=math.nan)) is None


def test_no_record_is_lost_when_everything_in_it_is_absurd(tmp_path: Path) -> None:
    huge = "\ud800x\0\n" * 10**6
    tags = Tags(
        **{
            field.name: huge if field.type == "str" else math.nan
            for field in fields(Tags)
            if field.name != "mood_words"
        },
        mood_words=(huge,) * 1000,
    )
    claim = made_up_claim(Mood.SAD, MoodSource.TAG, math.nan, note=huge, valence=math.inf)
    absurd = FileRecord(
        path=b"/".join([b"\xff" * 255] * 16),
        size=10**30,
        mtime_ns=-(10**30),
        tags=tags,
        claims=(claim,) * 100,
    )
    song = Song(song_id=huge, title=huge, artist=huge, path=huge, length_s=math.nan, claim=claim)
    with Store(tmp_path / "i") as store:
        source = store.source(tmp_path, label=huge, medium=huge)
        scan = store.begin_scan(source)
        store.put(source, scan, [absurd, made_up_record(1)])
        rows = list(store.rows())
        assert len(rows) == 2
        track_id = rows[0].track_id
        store.put_songs([song])
        (kept,) = store.songs()
        link = Link(song_id=huge, track_id=track_id, score=math.nan, state=LinkState.SURE, why=huge)
        store.put_links([link])
        store.pin(huge, track_id)
        store.set_sound(track_id, Sound(loudness_db=math.nan, range_lu=0, peak_db=0, tempo_bpm=0))
        store.claim(track_id, claim)
        row = store.row(track_id)
        assert (row.song_id, row.problem) == (kept.song_id, "no loudness could be measured")
        assert store.end_scan(source, scan, complete=True) == 0
        store.publish()
    with opened(tmp_path / "i") as index:
        track = index.shelf().by_id(track_id)
        assert track is not None
        assert track.mood is Mood.SAD
    assert (tmp_path / "i").stat().st_size < 500_000
