from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodride.intake.artists import read_artists
from moodride.intake.spelling import TEXT_MAX, fold, words_of
from moodride.intake.titles import read_title


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Beyoncé & P!nk", "beyonce and pink"),
        ("Beyonce\u0301", "beyonce"),
        ("Ke$ha", "kesha"),
        ("Don\u2019t Stop", "dont stop"),
        ("Goin' Down", "going down"),
        ("Rock 'n' Roll", "rock and roll"),
        ("Кино", "kino"),
        ("Σωκράτης", "sokratis"),
        ("\uff21\uff22\uff23", "abc"),
        ("Straße", "strasse"),
        ("Pt. II", "part 2"),
        ("Part Two", "part 2"),
        ("Vol. 3", "volume 3"),
        ("No. 14", "number 14"),
        ("#14", "number 14"),
        ("No Surprises", "no surprises"),
        ("07", "7"),
        ("Henry VIII", "henry 8"),
        ("Malcolm X", "malcolm x"),
        ("Me and I", "me and i"),
        ("!!!", "!!!"),
        ("÷", "÷"),
        ("", ""),
        ("   ", ""),
    ],
)
def test_fold_writes_a_text_in_one_way_when_spellings_differ(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text(max_size=80))
def test_words_are_never_none_when_any_text_comes(text: str) -> None:
    words = words_of(text)
    assert words
    assert all(" " not in word for word in words) or len(words) == 1


def test_fold_looks_at_the_beginning_alone_when_a_text_is_huge() -> None:
    assert 1 < len(fold("ab " * 1_000_000)) <= TEXT_MAX


@pytest.mark.parametrize(
    "text",
    [
        "Get Lucky",
        "get  lucky!",
        "Get Lucky (feat. Pharrell Williams)",
        "Get Lucky ft. Pharrell Williams - Radio Edit",
        "Get Lucky - Remastered 2011",
        "Get Lucky - 2011 Remastered Version",
        "Get Lucky [Explicit]",
        "Get Lucky (Deluxe Edition) [2011 - Remaster]",
        "Get Lucky Remastered",
        "Get Lucky (Original Mix)",
        "Get Lucky - 2011 Mix",
        "Get Lucky - Mono / Remastered",
        'Get Lucky - From "Some Film"',
        "Get Lucky (feat. A",
        "The Get Lucky",
    ],
)
def test_a_title_is_the_same_song_when_it_says_nothing_of_the_recording(text: str) -> None:
    title = read_title(text)
    assert (title.full, title.marks, title.numbers) == ("getlucky", frozenset(), ())


@pytest.mark.parametrize(
    ("text", "marks", "mixer"),
    [
        ("Song - Live", {"live"}, ""),
        ("Song (Live at the Mill) [Remastered]", {"live"}, ""),
        ("Song - Live at the Mill, York - May 1979", {"live"}, ""),
        ("Song (Unplugged)", {"live"}, ""),
        ("Song - Live (2003)", {"live"}, ""),
        ("Song - Recorded at Mill Studios", {"live"}, ""),
        ("Song - R3HAB Remix", {"remix"}, "r3hab"),
        ("Song (R3HAB Edit)", {"remix"}, "r3hab"),
        ("Song - Above & Beyond Club Mix", {"remix"}, "abovebeyondclub"),
        ("Song (Remix)", {"remix"}, ""),
        ("Song [Karaoke Version]", {"karaoke"}, ""),
        ("Song - Acoustic", {"acoustic"}, ""),
        ("Song (Instrumental)", {"instrumental"}, ""),
        ("Song (Somebody Cover)", {"cover"}, ""),
        ("Song - Piano Version", {"piano"}, ""),
        ("Song - Sped Up", {"sped up"}, ""),
        ("Song (Spanish Version)", {"spanish version"}, ""),
    ],
)
def test_a_title_is_marked_when_it_is_another_recording(
    text: str, marks: set[str], mixer: str
) -> None:
    title = read_title(text)
    assert (title.full, title.marks, title.mixer) == ("song", marks, mixer)


@pytest.mark.parametrize(
    ("text", "full", "base"),
    [
        ("Don't You (Forget About Me)", "dontyouforgetaboutme", "dontyou"),
        ("(I Can't Get No) Satisfaction", "icantgetnosatisfaction", "satisfaction"),
        ("Song (Live and Let Die)", "songliveandletdie", "song"),
        ("Long Live", "longlive", "longlive"),
        ("Prelude 6 - Pt. 1", "prelude6part1", "prelude6part1"),
        ("()", "()", "()"),
        ("Remastered", "remastered", "remastered"),
    ],
)
def test_a_title_keeps_what_is_its_own_when_it_has_brackets_and_dashes(
    text: str, full: str, base: str
) -> None:
    title = read_title(text)
    assert (title.full, title.base, title.marks) == (full, base, frozenset())


def test_a_title_is_live_when_a_strange_bracket_follows() -> None:
    assert read_title("Song - Live [some place]").marks == {"live"}


@given(st.text(alphabet="ab ()[]{}-\u2013'\".,feat live mix1", max_size=60))
def test_a_title_is_taken_apart_when_brackets_and_dashes_are_in_disorder(text: str) -> None:
    title = read_title(text)
    assert title.full or not text.strip()


@pytest.mark.parametrize(
    ("text", "listed", "atoms"),
    [
        ("Beatles, The", ("beatles",), ("beatles",)),
        ("The Beatles", ("beatles",), ("beatles",)),
        ("Iron & Wine", ("ironwine",), ("iron", "wine")),
        ("A feat. B & C", ("a", "bc"), ("a", "b", "c")),
        ("A; B", ("a", "b"), ("a", "b")),
        ("A, B", ("a", "b"), ("a", "b")),
        ("A (feat. B)", ("a", "b"), ("a", "b")),
        ("Grover Washington, Jr.", ("groverwashington",), ("groverwashington",)),
        ("AC/DC", ("acdc",), ("ac", "dc")),
        ("X-Ecutioners", ("xecutioners",), ("xecutioners",)),
        ("(Hed) P.E.", ("hedpe",), ("hedpe",)),
        ("", (), ()),
    ],
)
def test_artists_are_taken_apart_when_they_are_joined_in_any_way(
    text: str, listed: tuple[str, ...], atoms: tuple[str, ...]
) -> None:
    found = read_artists(text)
    assert (found.listed, found.atoms) == (listed, atoms)


def test_artists_are_the_same_when_only_the_word_between_differs() -> None:
    assert len({read_artists(f"Daryl Hall {word} John Oates").whole for word in ("&", "and")}) == 1
