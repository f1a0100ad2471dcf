from __future__ import annotations

import re
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz import fuzz

from moodride.intake.mood_vocabulary import NEAR, PLAIN
from moodride.intake.mood_words import fold, folder_claim, tag_claim
from moodride.library.records import MoodSource
from moodride.types import Mood

TABLE = [
    (word.strip(), mood)
    for table in (PLAIN, NEAR)
    for mood, words in table.items()
    for word in re.split(r"[,\n]", words)
    if word.strip()
]


@pytest.mark.parametrize(
    ("word", "mood"),
    [
        ("Happy", Mood.HAPPY),
        ("cheerful", Mood.HAPPY),
        ("Feel-Good", Mood.HAPPY),
        ("Fr\u00f6hlich", Mood.HAPPY),
        ("joyeux", Mood.HAPPY),
        ("ALEGRE", Mood.HAPPY),
        ("spensierato", Mood.HAPPY),
        ("Melancholy", Mood.SAD),
        ("Sombre", Mood.SAD),
        ("traurig", Mood.SAD),
        ("m\u00e9lancolique", Mood.SAD),
        ("triste", Mood.SAD),
        ("malinconico", Mood.SAD),
        ("Relaxed", Mood.CALM),
        ("mellow", Mood.CALM),
        ("Laid-Back", Mood.CALM),
        ("chillout", Mood.CALM),
        ("ruhig", Mood.CALM),
        ("d\u00e9tente", Mood.CALM),
        ("tranquila", Mood.CALM),
        ("rilassante", Mood.CALM),
        ("Energetic", Mood.ENERGETIC),
        ("Aggressive", Mood.ENERGETIC),
        ("energiegeladen", Mood.ENERGETIC),
        ("\u00e9nergique", Mood.ENERGETIC),
        ("en\u00e9rgico", Mood.ENERGETIC),
        ("grintoso", Mood.ENERGETIC),
    ],
)
def test_tag_is_believed_when_its_word_is_plain(word: str, mood: Mood) -> None:
    claim = tag_claim([word])
    assert claim is not None
    assert (claim.source, claim.mood, claim.confidence) == (MoodSource.TAG, mood, 0.9)


@pytest.mark.parametrize(
    ("word", "mood"),
    [("tender", Mood.CALM), ("romantic", Mood.CALM), ("party", Mood.HAPPY), ("wistful", Mood.SAD)],
)
def test_tag_is_believed_less_when_its_word_is_only_near(word: str, mood: Mood) -> None:
    claim = tag_claim([word])
    assert claim is not None
    assert claim.mood is mood
    assert 0.5 < claim.confidence < 0.9


@pytest.mark.parametrize("word", ["Melancholly", "Energettic", "peacefull", "traurige"])
def test_tag_is_understood_when_it_is_misspelt(word: str) -> None:
    claim = tag_claim([word])
    assert claim is not None
    assert claim.confidence == pytest.approx(0.81)


@pytest.mark.parametrize(
    "word",
    [
        "not happy",
        "Not sad",
        "nicht traurig",
        "pas triste",
        "non happy",
        "sin alegria",
        "kein Chill",
    ],
)
def test_tag_says_nothing_when_it_is_negated(word: str) -> None:
    assert tag_claim([word]) is None


@pytest.mark.parametrize(
    "words", [[], [""], ["   "], ["Acoustic"], ["Electronic"], ["flower"], ["child"], ["42"], ["!"]]
)
def test_tag_says_nothing_when_it_names_no_mood(words: list[str]) -> None:
    assert tag_claim(words) is None


def test_confidence_sinks_when_words_disagree() -> None:
    alone, both = tag_claim(["Happy"]), tag_claim(["Happy", "Energetic"])
    most = tag_claim(["Happy", "Cheerful", "Energetic"])
    assert alone is not None
    assert both is not None
    assert most is not None
    assert both.confidence == pytest.approx(0.45)
    assert both.confidence < most.confidence < alone.confidence


def test_words_of_one_mood_do_not_disagree() -> None:
    claim = tag_claim(["Sad", "Melancholic", "wistful"])
    assert claim is not None
    assert (claim.mood, claim.confidence) == (Mood.SAD, 0.9)


def test_words_beside_the_mood_change_little() -> None:
    claim = tag_claim(["very relaxing music"])
    assert claim is not None
    assert (claim.mood, claim.confidence) == (Mood.CALM, 0.9)


def test_picards_plugin_is_understood_when_it_lists_what_a_song_is_not() -> None:
    words = ["Not acoustic", "Aggressive", "Electronic", "Not happy", "Party", "Not relaxed"]
    claim = tag_claim(words)
    assert claim is not None
    assert claim.mood is Mood.ENERGETIC
    assert claim.confidence < 0.9


@pytest.mark.parametrize(
    ("path", "mood"),
    [
        (b"Happy/x.mp3", Mood.HAPPY),
        (b"01 - calm/x.mp3", Mood.CALM),
        (b"Chill/deep/below/x.mp3", Mood.CALM),
        (b"Sad/Happy/x.mp3", Mood.HAPPY),
        ("Fr\u00f6hliche Lieder/x.mp3".encode(), Mood.HAPPY),
        ("Fro\u0308hliche Lieder/x.mp3".encode(), Mood.HAPPY),
        (b"Tr\xe4umerisch/x.mp3", Mood.CALM),
        (b"Traurig/x.mp3", Mood.SAD),
        (b"Songs to cry/x.mp3", Mood.SAD),
        (b"Chill Mix 2/x.mp3", Mood.CALM),
        (b"WORKOUT/x.mp3", Mood.ENERGETIC),
    ],
)
def test_folder_is_believed_when_its_whole_name_is_a_mood(path: bytes, mood: Mood) -> None:
    claim = folder_claim(path)
    assert claim is not None
    assert (claim.source, claim.mood) == (MoodSource.FOLDER, mood)
    assert 0.4 < claim.confidence <= 0.7


@pytest.mark.parametrize(
    "path",
    [
        b"Happy.mp3",
        b"Sad Wings of Destiny/x.mp3",
        b"Happy (2013)/x.mp3",
        b"not happy/x.mp3",
        b"Trieste/x.mp3",
        b"01/x.mp3",
        b"\xff\xfe/x.mp3",
        b"//x.mp3",
        b"",
    ],
)
def test_folder_says_nothing_when_a_mood_is_only_part_of_its_name(path: bytes) -> None:
    assert folder_claim(path) is None


def test_folder_says_nothing_when_it_is_called_after_album_or_artist() -> None:
    path = b"Pharrell/01 Happy/01 Happy.mp3"
    assert folder_claim(path) is not None
    assert folder_claim(path, names=("Pharrell", "happy")) is None


def test_table_is_spelt_as_words_are_looked_up() -> None:
    assert [word for word, _ in TABLE if fold(word) != word] == []
    assert {mood for _, mood in TABLE} == set(Mood)


def test_table_is_plain_when_words_are_alike() -> None:
    moods: dict[str, Mood] = {}
    for word, mood in TABLE:
        assert moods.setdefault(word, mood) is mood, word
    long = [word for word in moods if len(word) >= 7]
    near = [
        pair
        for pair in combinations(long, 2)
        if moods[pair[0]] is not moods[pair[1]]
        and pair[0][0] == pair[1][0]
        and fuzz.ratio(*pair) >= 90
    ]
    assert near == []


@given(st.lists(st.text(max_size=80), max_size=20), st.binary(max_size=200))
def test_claims_make_sense_when_words_are_any(words: list[str], path: bytes) -> None:
    for claim in (tag_claim(words), folder_claim(path)):
        if claim is not None:
            assert 0.0 < claim.confidence <= 0.9
            assert len(claim.note) <= 128
            claim.note.encode()
