"""How alike a song of a catalogue and a file are, 0 to 100, and why. Pure.

Title and artist make the score. What tells two recordings of a song apart (live, whose remix, the
number of a part, the length) lowers it below `SURE`, or below `DOUBTFUL`, however alike the names
are. The numbers were chosen on the disturbed names of ``tests/matching_kit.py``, which
``tests/intake/test_matching.py`` measures again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from moodride.intake.artists import Artists
from moodride.intake.titles import Title

__all__ = ["DOUBTFUL", "SURE", "Likeness", "Named", "likeness"]

SURE: Final = 88.0
"""From this score on a song and a file are the same."""

DOUBTFUL: Final = 70.0
"""From this score on they may be the same, and the owner is asked."""

NEAR_S: Final = 5.0
"""Lengths that differ by no more speak for the same recording: rips differ by silence."""

_FAR_S: Final = 15.0
"""Lengths that differ by more make a pair doubtful."""

_OTHER_S: Final = 60.0
"""Lengths that differ by more are of other recordings."""

_SAME: Final = 100.0

_PERFORMS: Final = 95.0
"""Artists that are alike to this are the same; below, the lengths have to agree."""

_TITLE_SHARE: Final = 0.65
_TITLE_LEAST: Final = 70.0
_ARTIST_LEAST: Final = 80.0
_BRACKET_LESS: Final = 94.0
_OTHER_WORDS: Final = 78.0
_ONE_WORD_OF_MANY: Final = 85.0
_SHORT: Final = 5
_LETTERS_A_SLIP: Final = 4
_MIXER_ALIKE: Final = 80.0

_DOUBT: Final = 80.0
"""The most that a pair gets which the owner has to look at."""

_WEAK: Final = 86.0
"""The most that names get which are only nearly alike, unless the lengths agree."""

_NONE: Final = 60.0
"""The most that two recordings of different kinds get."""

_SMALL: Final = frozenset(["the", "a", "an", "and", "of", "to", "in", "on"])
_NOT_BY_THEM: Final = frozenset(["karaoke", "cover"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a song, or a file, is called.

    Attributes:
        title: taken apart.
        artists: of one or more fields, each taken apart; the likest counts.
        length_s: playing time, or None.
        guessed: it was read out of the name of the file.
    """

    title: Title
    artists: tuple[Artists, ...]
    length_s: float | None = None
    guessed: bool = False


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike two are.

    Attributes:
        score: 0 to 100.
        why: in words.
        apart: something tells them apart; a better match of either makes this one idle.
    """

    score: float
    why: str
    apart: bool = False


def likeness(song: Named, file: Named) -> Likeness | None:
    """Compare a song with a file; None where they are not the same for certain."""
    title = _titles(song.title, file.title)
    if title < _TITLE_LEAST:
        return None
    artist = _artists(song, file)
    if artist < _ARTIST_LEAST:
        return None
    gap = _gap(song, file)
    if gap is not None and gap > _OTHER_S:
        return None
    reasons = [*_marks(song.title, file.title), *_numbers(song.title, file.title), *_length(gap)]
    most = min((limit for limit, _ in reasons), default=_SAME)
    weak = _weak(title, artist, guessed=song.guessed or file.guessed)
    agree = gap is not None and gap <= NEAR_S
    if weak and not agree:
        weak.append("no lengths to compare" if gap is None else "their lengths do not agree")
    if len(weak) > 1:
        most = min(most, _WEAK)
    score = min(most, _TITLE_SHARE * title + (1.0 - _TITLE_SHARE) * artist)
    if score < DOUBTFUL:
        return None
    why = "; ".join([*weak, *(words for _, words in reasons)]) or "same artist and title"
    return Likeness(round(score, 1), why, apart=bool(reasons))


def _titles(song: Title, file: Title) -> float:
    """How alike two titles are, 0 to 100."""
    if song.raw == file.raw or song.full == file.full:
        return _SAME
    spelt = _spelt(song.words, file.words)
    if song.base == file.base:
        both = song.base not in (song.full, file.full)
        return max(spelt, _OTHER_WORDS if both else _BRACKET_LESS)
    return spelt


def _spelt(song: tuple[str, ...], file: tuple[str, ...]) -> float:
    """How alike two lists of words are that differ, 0 to 100.

    The optimal string alignment distance, by the length of the longer; a word too many is no
    slip of the finger.
    """
    one, other = "".join(song), "".join(file)
    longer = max(len(one), len(other))
    if longer < _SHORT:
        return 0.0
    alike = 100.0 * (1.0 - OSA.distance(one, other) / longer)
    if alike < _TITLE_LEAST:
        return alike
    missing, extra = Counter(song) - Counter(file), Counter(file) - Counter(song)
    if _is_slip("".join(missing.elements()), "".join(extra.elements())):
        return alike
    if {*missing, *extra} <= _SMALL:
        return alike
    one_word_of_many = not (missing and extra) or alike >= _ONE_WORD_OF_MANY
    return min(alike, _OTHER_WORDS) if one_word_of_many else 0.0


def _is_slip(one: str, other: str) -> bool:
    """Whether the words that differ are the same but for a slip of the finger or two."""
    longer = max(len(one), len(other))
    return OSA.distance(one, other) <= min(2, longer // _LETTERS_A_SLIP)


def _artists(song: Named, file: Named) -> float:
    """How alike the likest of their artists are, 0 to 100."""
    return max((_performers(a, b) for a in song.artists for b in file.artists), default=0.0)


def _performers(song: Artists, file: Artists) -> float:
    """How alike two lists of artists are, 0 to 100."""
    if not song.atoms or not file.atoms:
        return _SAME if song.whole and song.whole == file.whole else 0.0
    for alike, score in _RELATIONS:
        if alike(song, file) or alike(file, song):
            return score
    return max(_name(song.whole, file.whole), _name(song.credits[0], file.credits[0]))


def _name(song: str, file: str) -> float:
    """How alike two names are that differ; 0 where it is more than a slip or two.

    Names with other numbers are others: Sum 41, Sum 42.
    """
    if [c for c in song if c.isdigit()] != [c for c in file if c.isdigit()]:
        return 0.0
    longer = max(len(song), len(file))
    slips = OSA.distance(song, file)
    return 100.0 * (1.0 - slips / longer) if slips <= min(2, longer // _LETTERS_A_SLIP) else 0.0


def _same(song: Artists, file: Artists) -> bool:
    """Whether they are the same people, in whatever order."""
    same_words = song.shuffled == file.shuffled or song.whole == file.whole
    return same_words or set(song.atoms) == set(file.atoms)


def _leads(song: Artists, file: Artists) -> bool:
    """Whether one is the other and guests: "A & B" and "A & B, C"."""
    many = len(song.atoms)
    return song.whole in file.listed or (many > 1 and file.atoms[:many] == song.atoms)


_RELATIONS: Final[tuple[tuple[Callable[[Artists, Artists], bool], float], ...]] = (
    (_same, _SAME),
    (lambda song, file: song.credits[0] == file.credits[0], 98.0),
    (lambda song, file: song.credits[0] in file.credits, 96.0),
    (_leads, _PERFORMS),
    (lambda song, file: song.whole == file.atoms[0], 90.0),
    (lambda song, file: song.whole in file.atoms, 86.0),
)
"""How artists may be the same though they are written otherwise, and how sure that is."""


def _weak(title: float, artist: float, *, guessed: bool) -> list[str]:
    """What is only nearly alike, in words; the lengths have to agree then."""
    found = []
    if title < _SAME:
        found.append(f"titles alike to {title:.0f} %")
    if artist < _PERFORMS:
        found.append(f"artists alike to {artist:.0f} %")
    if guessed:
        found.append("named by the file's name alone")
    return found


def _marks(song: Title, file: Title) -> Iterable[tuple[float, str]]:
    """What tells their recordings apart: the most they get, and why."""
    if song.raw == file.raw:
        return
    if song.marks == file.marks:
        if fuzz.ratio(song.mixer, file.mixer) >= _MIXER_ALIKE:
            return
        named = song.mixer and file.mixer
        yield (_NONE, "other remixers") if named else (_DOUBT, "one remix is named, one is not")
        return
    one, other = (" ".join(sorted(marks)) or "plain" for marks in (song.marks, file.marks))
    words = f"the song is {one}, the file {other}"
    neither = song.marks and file.marks and not song.marks & file.marks
    strange = _NOT_BY_THEM & (song.marks ^ file.marks)
    yield (_NONE if neither else 74.0 if strange else _DOUBT), words


def _numbers(song: Title, file: Title) -> Iterable[tuple[float, str]]:
    """Whether they are different parts: "Part 1" and "Part 2"."""
    if song.numbers == file.numbers or song.raw == file.raw:
        return
    missing, extra = Counter(song.numbers), Counter(file.numbers)
    subset = missing <= extra or extra <= missing
    yield (_DOUBT if subset else 0.0), "the numbers in their titles differ"


def _gap(song: Named, file: Named) -> float | None:
    """By how much the lengths differ, s, or None where one is not known."""
    if not song.length_s or not file.length_s:
        return None
    return abs(song.length_s - file.length_s)


def _length(gap_s: float | None) -> Iterable[tuple[float, str]]:
    """Whether the lengths tell them apart."""
    if gap_s is not None and gap_s > _FAR_S:
        yield _DOUBT, f"their lengths differ by {gap_s:.0f} s"
