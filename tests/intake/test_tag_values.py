from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodride.intake import tag_values
from moodride.intake.languages import language_code


@pytest.mark.parametrize(
    ("gain", "reference", "loudness_db"),
    [
        ("-7.89 dB", "", -10.11),
        ("+2.5 dB", "", -20.5),
        ("-7,89 dB", "", -10.11),
        ("\u22127.89", "", -10.11),
        ("  -7.89dB", "89.0 dB", -10.11),
        ("-7.89 dB", "83.0 dB", -16.11),
        ("0.00 dB", "-23.00 LUFS", -23.0),
        ("-7.89 dB", "nonsense", -10.11),
        ("dB", "", None),
        ("nan", "", None),
        ("-1e99", "", None),
        ("-1.5e0 dB", "", -16.5),
        ("1234567890123456789", "", None),
        ("-99999 dB", "", None),
        ("64.00 dB", "", None),
        ("", "", None),
    ],
)
def test_loudness_comes_from_replaygain(
    gain: str, reference: str, loudness_db: float | None
) -> None:
    found = tag_values.loudness_db(gain, reference)
    assert found == (None if loudness_db is None else pytest.approx(loudness_db))


@pytest.mark.parametrize(
    ("gain", "loudness_db"),
    [
        ("-2048", -15.0),
        ("256", -24.0),
        ("0", -23.0),
        ("-5.20 dB", -17.8),
        ("32767", None),
        ("x", None),
    ],
)
def test_loudness_comes_from_r128(gain: str, loudness_db: float | None) -> None:
    found = tag_values.r128_loudness_db(gain)
    assert found == (None if loudness_db is None else pytest.approx(loudness_db))


@pytest.mark.parametrize(
    ("text", "peak_db"),
    [
        ("1.0", 0.0),
        ("0.5", -6.0206),
        ("1.25", 1.9382),
        ("0.0", None),
        ("-1", None),
        ("99999", None),
    ],
)
def test_peak_comes_in_decibels(text: str, peak_db: float | None) -> None:
    found = tag_values.peak_db(text)
    assert found == (None if peak_db is None else pytest.approx(peak_db, abs=1e-3))


@pytest.mark.parametrize(
    ("text", "tempo_bpm"),
    [("128", 128.0), ("127,5", 127.5), ("0", None), ("19", None), ("401", None), ("fast", None)],
)
def test_tempo_is_believed_when_it_makes_sense(text: str, tempo_bpm: float | None) -> None:
    assert tag_values.tempo_bpm(text) == tempo_bpm


@pytest.mark.parametrize(
    ("value", "length_s"),
    [(3.5, 3.5), (86400, 86400.0), (0.0, None), (-1.0, None), (1e9, None), (float("nan"), None),
     (float("inf"), None), (None, None), ("3", None)],
)  # fmt: skip
def test_length_is_believed_when_it_makes_sense(value: object, length_s: float | None) -> None:
    assert tag_values.length_s(value) == length_s


@pytest.mark.parametrize(
    ("text", "year"),
    [("2004", 2004), ("2004-05-06", 2004), ("20040506", 2004), ("06.05.2004", 2004), ("04", None),
     ("0000", None), ("", None)],
)  # fmt: skip
def test_year_is_found_in_a_date(text: str, year: int | None) -> None:
    assert tag_values.year(text) == year


@pytest.mark.parametrize(
    ("text", "number"), [("3", 3), ("03/12", 3), ("A1", None), ("0", None), ("12345", None)]
)
def test_track_number_is_the_first_of_two(text: str, number: int | None) -> None:
    assert tag_values.track_number(text) == number


def test_identifiers_are_believed_when_they_are_whole() -> None:
    assert tag_values.isrc("US-RC1-76-07839") == "USRC17607839"
    assert tag_values.isrc("usrc17607839") == "USRC17607839"
    assert tag_values.isrc("USRC1760783") == ""
    uuid = "F3F72A0E-a554-4c8a-9c52-94e1d11b84b0"
    assert tag_values.recording_id(f" {uuid}\n") == uuid.lower()
    assert tag_values.recording_id("f3f72a0e") == ""


@pytest.mark.parametrize(
    "text",
    [
        "spotify:track:4uLU6hMCjMI75M1A2tKUQC",
        "https://open.spotify.com/track/4uLU6hMCjMI75M1A2tKUQC?si=1",
        "from http://open.spotify.com/intl-de/track/4uLU6hMCjMI75M1A2tKUQC today",
    ],
)
def test_spotify_id_is_found_in_a_text(text: str) -> None:
    assert tag_values.spotify_id(["nothing", text]) == "4uLU6hMCjMI75M1A2tKUQC"


@pytest.mark.parametrize(
    "text",
    ["spotify:album:4uLU6hMCjMI75M1A2tKUQC", "spotify:track:short", "notspotify.com/track/x"],
)
def test_spotify_id_is_none_when_it_is_not_a_tracks(text: str) -> None:
    assert tag_values.spotify_id([text]) == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("eng", "en"),
        ("ger", "de"),
        ("deu", "de"),
        ("DEU/eng", "de"),
        ("engdeu", "en"),
        ("en-GB", "en"),
        ("pt_BR", "pt"),
        ("English", "en"),
        ("fran\u00e7ais", "fr"),
        ("zxx", ""),
        ("und", ""),
        ("XXX", ""),
        ("gsw", ""),
        ("", ""),
        ("\u4e2d\u6587", ""),
    ],
)
def test_language_is_a_code_of_two_letters_or_unknown(text: str, code: str) -> None:
    assert language_code(text) == code


@given(st.text(max_size=100))
def test_values_make_sense_when_the_text_is_any(text: str) -> None:
    loudness = (tag_values.loudness_db(text, text), tag_values.r128_loudness_db(text))
    assert all(found is None or -70.0 <= found <= 5.0 for found in loudness)
    assert tag_values.tempo_bpm(text) is None or 20.0 <= (tag_values.tempo_bpm(text) or 0) <= 400.0
    assert tag_values.year(text) is None or 1000 <= (tag_values.year(text) or 0) < 3000
    assert len(language_code(text)) in {0, 2}
    tag_values.peak_db(text)
