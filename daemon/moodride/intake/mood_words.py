"""From words to a mood: what mood tags say, and what folders are called. Pure.

Every confidence here is our own estimate and was never measured: what a person wrote into a mood
tag is right nine times in ten for a plain word; a word that is merely near, or misspelt, or one of
several that disagree, counts for less; a folder's name counts less than a tag, for it may be an
album's name or a joke.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from typing import Final

from rapidfuzz import fuzz, process

from moodride.intake.mood_vocabulary import NEAR, NOT, PLAIN, SAY_NOTHING
from moodride.intake.texts import from_name, tidy
from moodride.library.records import Claim, MoodSource
from moodride.types import Mood

__all__ = ["fold", "folder_claim", "tag_claim"]

TAG_CONFIDENCE: Final = 0.9
FOLDER_CONFIDENCE: Final = 0.7
_NEAR: Final = 0.7
_IN_A_PHRASE: Final = 0.9
_MISSPELT: Final = 0.9
"""What each takes away of a plain word's weight of 1."""

_ALIKE: Final = 90.0
"""Least likeness of a misspelt word, per cent (rapidfuzz's ratio); no two words of different
moods in the table are as near to each other."""

_LEAST_LETTERS: Final = 7
"""Shorter words are too near to each other: chill and child, triste and Trieste."""

_WORDS_MAX: Final = 16
_LETTERS_MAX: Final = 64
_FOLDERS_MAX: Final = 16
_NUMBER_LENGTH: Final = 2

_NUMBER_BEFORE: Final = re.compile(r"^[\[(#]?\d{1,3}[\])]?[\s._-]*")

_Vote = tuple[Mood, float]


def tag_claim(words: Iterable[str]) -> Claim | None:
    """Return what the mood tags of a file come to, or None.

    Args:
        words: as in `moodride.library.records.Tags.mood_words`.
    """
    said = [word for word in words if word.strip()][:_WORDS_MAX]
    votes: dict[Mood, float] = {}
    best: dict[Mood, float] = {}
    for word in dict.fromkeys(map(fold, said)):
        for mood, weight in _votes(word):
            votes[mood] = votes.get(mood, 0.0) + weight
            best[mood] = max(best.get(mood, 0.0), weight)
    if not votes:
        return None
    mood = max(votes, key=lambda each: votes[each])
    share = votes[mood] / sum(votes.values())
    return Claim(
        source=MoodSource.TAG,
        mood=mood,
        confidence=round(TAG_CONFIDENCE * best[mood] * share, 3),
        note=tidy(f"tag: {', '.join(said)}", longest=_LETTERS_MAX * 2),
    )


def folder_claim(path: bytes, *, names: Collection[str] = ()) -> Claim | None:
    """Return what the folders that a file lies in say, the nearest one first, or None.

    The whole name has to be a mood's, but for a number before it and words such as "music" or
    "mix": "01 - Calm" and "Sad Songs" are, "Sad Wings of Destiny" is not.

    Args:
        path: below the source's folder.
        names: of artist and album by the file's tags: a folder called so is no mood.
    """
    others = {fold(name) for name in names}
    for folder in path.split(b"/")[-2::-1][:_FOLDERS_MAX]:
        name = from_name(folder)[:_LETTERS_MAX]
        if fold(name) in others or fold(_NUMBER_BEFORE.sub("", name)) in others:
            continue
        if vote := _whole(fold(_NUMBER_BEFORE.sub("", name))):
            mood, weight = vote
            return Claim(
                source=MoodSource.FOLDER,
                mood=mood,
                confidence=round(FOLDER_CONFIDENCE * weight, 3),
                note=tidy(f"folder: {name}", longest=_LETTERS_MAX * 2),
            )
    return None


def fold(text: str) -> str:
    """Return a text's letters in lower case without accents, its words one space apart."""
    parts = unicodedata.normalize("NFKD", text[:_LETTERS_MAX].casefold())
    plain = "".join(c for c in parts if not unicodedata.combining(c))
    return " ".join(re.findall(r"[^\W_]+", plain))


@lru_cache(maxsize=4096)
def _votes(phrase: str) -> tuple[_Vote, ...]:
    """The moods that a folded phrase speaks for, by how much."""
    words = phrase.split()
    if _NOT.intersection(words):
        return ()
    if vote := _whole(phrase):
        return (vote,)
    found = (_known(word) for word in words if not _says_nothing(word))
    return tuple((mood, weight * _IN_A_PHRASE) for mood, weight in filter(None, found))


@lru_cache(maxsize=4096)
def _whole(phrase: str) -> _Vote | None:
    """The mood that a folded phrase as a whole stands for."""
    if vote := _known(phrase):
        return vote
    words = phrase.split()
    rest = [word for word in words if not _says_nothing(word)]
    if _NOT.intersection(words) or not rest or len(rest) == len(words):
        return None
    return _known(" ".join(rest))


def _known(phrase: str) -> _Vote | None:
    """The mood of a word of the table, or of one that is as good as that."""
    if vote := _TABLE.get(phrase):
        return vote
    if len(phrase) < _LEAST_LETTERS or _NOT.intersection(phrase.split()):
        return None
    near = process.extractOne(
        phrase, _LONG.get(phrase[0], ()), scorer=fuzz.ratio, score_cutoff=_ALIKE
    )
    if near is None:
        return None
    mood, weight = _TABLE[near[0]]
    return mood, weight * _MISSPELT


def _says_nothing(word: str) -> bool:
    """Whether a word adds nothing; "mix 2" is a mix, but "Happy 2013" is an album."""
    return word in _SAY_NOTHING or (word.isdecimal() and len(word) <= _NUMBER_LENGTH)


def _entries() -> Iterator[tuple[str, _Vote]]:
    for table, weight in ((NEAR, _NEAR), (PLAIN, 1.0)):
        for mood, words in table.items():
            for word in re.split(r"[,\n]", words):
                if word.strip():
                    yield word.strip(), (mood, weight)


_NOT: Final = frozenset(NOT.split())
_SAY_NOTHING: Final = frozenset(SAY_NOTHING.split())
_TABLE: Final = dict(_entries())
_LONG: Final = {
    first: tuple(word for word in _TABLE if word[0] == first and len(word) >= _LEAST_LETTERS)
    for first in {word[0] for word in _TABLE}
}
"""Words that may be misspelt, by their first letter, which seldom is."""
