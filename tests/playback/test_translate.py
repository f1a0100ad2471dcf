"""libmpv's words in ours."""

from __future__ import annotations

import logging

import pytest

from moodride.playback.entries import Entries
from moodride.playback.translate import Translator


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Failed to open /m/a.mp3.\n", "libmpv file: Failed to open /m/a.mp3. (error)"),
        ("Failed to open /m/a\nb.mp3.", "libmpv file: Failed to open /m/a b.mp3. (error)"),
        (b"Failed to open /m/\xff.mp3.\n", "libmpv file: Failed to open /m/\ufffd.mp3. (error)"),
    ],
)
def test_logs_one_line_whatever_a_file_is_called(
    caplog: pytest.LogCaptureFixture, text: str | bytes, said: str
) -> None:
    with caplog.at_level(logging.DEBUG):
        Translator(lambda _event: None, Entries()).log("error", "file", text)
    assert caplog.messages == [said]
