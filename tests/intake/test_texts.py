from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodride.intake.texts import from_name, shown, tidy


@pytest.mark.parametrize(
    ("text", "tidied"),
    [
        ("  two\n lines\t ", "two lines"),
        ("bell\x07 nul\x00 escape\x1b[31m", "bell nul escape[31m"),
        ("turned \u202eround\u202c", "turned round"),
        ("bo\u0308se", "b\u00f6se"),
        ("lone \ud800 half", "lone half"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        (
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
            "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        ),
        ("Bj\u00c3\u00b6rk", "Bj\u00f6rk"),
        ("\u00d0\u0161\u00d0\u00b8\u00d0\u00bd\u00d0\u00be", "\u041a\u0438\u043d\u043e"),
        (
            "\u00ca\u00e8\u00ed\u00ee \u00e8 \u00cf\u00e5\u00f1\u00ed\u00ff",
            "\u041a\u0438\u043d\u043e \u0438 \u041f\u0435\u0441\u043d\u044f",
        ),
        ("It\x92s", "It\u2019s"),
        ("Mot\u00f6rhead", "Mot\u00f6rhead"),
        ("\u00c9t\u00e9 fran\u00e7ais", "\u00c9t\u00e9 fran\u00e7ais"),
        ("\u00c5 \u00e6 \u00f8", "\u00c5 \u00e6 \u00f8"),
        ("\u661f\u306e\u6b4c", "\u661f\u306e\u6b4c"),
    ],
)
def test_text_is_put_right_when_it_came_through_badly(text: str, tidied: str) -> None:
    assert tidy(text) == tidied


def test_text_is_cut_when_it_is_endless() -> None:
    assert len(tidy("x" * 10_000_000)) == 512
    assert tidy("long words", longest=6) == "long w"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Bj\u00f6rk".encode(), "Bj\u00f6rk"),
        (b"Bj\xf6rk", "Bj\u00f6rk"),
        ("\u00e4".encode() * 20, "\u00e4" * 20),
        (b"\xcf\xe5\xf1\xed\xff", "\u041f\u0435\u0441\u043d\u044f"),
        (b"It\x92s", "It\u2019s"),
    ],
)
def test_name_is_text_when_windows_wrote_it(name: bytes, text: str) -> None:
    assert from_name(name) == text


def test_paths_are_shown_apart_when_they_look_alike() -> None:
    paths = [b"a\nb", b"a\tb", b"a b", b"a\xffb", b"a\xfeb", "a\u200bb".encode(), b"a\x1b[0mb"]
    texts = [shown(path) for path in paths]
    assert len(set(texts)) == len(paths)
    assert all(text.isprintable() for text in texts)
    assert shown(b"a\nb") == "a\\nb"


@given(st.text(), st.binary())
def test_any_text_can_be_kept_and_shown(text: str, name: bytes) -> None:
    for tidied in (tidy(text), from_name(name)):
        tidied.encode()
        assert tidied == tidied.strip()
        assert len(tidied) <= 512
        assert tidy(tidied) or not tidied
    assert shown(name).isprintable()


def test_text_that_would_be_put_right_to_nothing_stays() -> None:
    assert tidy("\u00ee\u00a1\u00a1") == "\u00ee\u00a1\u00a1"  # UTF-8 of a character of nobody's
