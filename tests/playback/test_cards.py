"""Which sound card is meant, and when it is looked for again."""

from __future__ import annotations

from pathlib import Path

import pytest

from moodride.playback.cards import CardWatch, card_ids, follow, number_of

TWO_CARDS = """\
 0 [vc4hdmi        ]: vc4-hdmi - vc4-hdmi
                      vc4-hdmi
 1 [Device         ]: USB-Audio - USB Audio Device
                      C-Media Electronics Inc. USB Audio Device at usb-1.2, full speed
"""


def test_reads_the_cards_of_the_kernel(tmp_path: Path) -> None:
    cards = tmp_path / "cards"
    cards.write_text(TWO_CARDS)
    assert card_ids(cards) == {0: "vc4hdmi", 1: "Device"}


@pytest.mark.parametrize("text", ["--- no soundcards ---\n", "", "\0\xff garbage ]: ["])
def test_finds_no_card_when_there_is_none(tmp_path: Path, text: str) -> None:
    assert card_ids(tmp_path / "cards") == {}
    (tmp_path / "cards").write_bytes(text.encode("latin-1"))
    assert card_ids(tmp_path / "cards") == {}


@pytest.mark.parametrize(
    ("device", "number"),
    [
        ("alsa/hw:1", 1),
        ("alsa/plughw:0,0", 0),
        ("alsa/hw:CARD=2,DEV=0", 2),
        ("alsa/plughw:CARD=Device", None),
        ("alsa/hw:Device,0", None),
        ("alsa/sysdefault:CARD=Device,DEV=0", None),
        ("alsa/default", None),
        ("pipewire/alsa_output.1", None),
        ("", None),
    ],
)
def test_says_when_a_card_is_named_by_number(device: str, number: int | None) -> None:
    assert number_of(device) == number


@pytest.mark.parametrize(
    ("device", "there", "opened"),
    [
        # Another number is nothing to us: the name stays.
        ("alsa/plughw:CARD=Device", {3: "Device"}, "alsa/plughw:CARD=Device"),
        # Plugged in again before its old self was let go, or the other way round.
        ("alsa/plughw:CARD=Device", {0: "Pch", 1: "Device_1"}, "alsa/plughw:CARD=Device_1"),
        ("alsa/hw:CARD=Device_1,DEV=0", {0: "Device"}, "alsa/hw:CARD=Device,DEV=0"),
        ("alsa/hw:Device,0", {0: "Device_A"}, "alsa/hw:Device_A,0"),
        # An id of 15 characters loses two of them to the suffix.
        ("alsa/hw:CARD=SuperLongName15", {0: "SuperLongName_1"}, "alsa/hw:CARD=SuperLongName_1"),
        # Two that could be meant, none, another one: left to libmpv, which plays on null.
        ("alsa/hw:CARD=A", {0: "A_1", 1: "A_2"}, "alsa/hw:CARD=A"),
        ("alsa/hw:CARD=A", {}, "alsa/hw:CARD=A"),
        ("alsa/hw:CARD=Device", {0: "Headset"}, "alsa/hw:CARD=Device"),
        ("alsa/hw:1", {0: "Device"}, "alsa/hw:1"),
        ("", {0: "Device"}, ""),
    ],
)
def test_follows_a_card_that_is_called_otherwise_now(
    device: str, there: dict[int, str], opened: str
) -> None:
    assert follow(device, there) == opened


def test_look_when_nothing_changed_is_worth_it_only_now_and_then(tmp_path: Path) -> None:
    watch = CardWatch(tmp_path / "cards")
    looks = [now for now in range(0, 200, 5) if watch.worth_trying(now)]
    assert looks == [0, 5, 10, 70, 130, 190]


def test_look_when_a_card_appears_or_goes_is_worth_it_at_once_and_for_a_while(
    tmp_path: Path,
) -> None:
    cards = tmp_path / "cards"
    watch = CardWatch(cards)
    assert watch.worth_trying(0.0)
    assert not watch.worth_trying(50.0)
    cards.write_text(TWO_CARDS)
    assert watch.worth_trying(55.0)
    assert watch.worth_trying(65.0)  # udev may have let us in only now
    assert not watch.worth_trying(75.0)
    cards.unlink()
    assert watch.worth_trying(80.0)
