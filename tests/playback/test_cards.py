"""When the sound card is looked for again."""

from __future__ import annotations

from pathlib import Path

from moodride.playback.cards import CardWatch


def test_look_when_nothing_changed_is_worth_it_only_now_and_then(tmp_path: Path) -> None:
    watch = CardWatch(tmp_path / "cards")
    looks = [now for now in range(0, 200, 5) if watch.worth_trying(now)]
    assert looks == [0, 60, 120, 180]


def test_look_when_a_card_appears_or_goes_is_worth_it_at_once(tmp_path: Path) -> None:
    cards = tmp_path / "cards"
    watch = CardWatch(cards)
    assert watch.worth_trying(0.0)
    cards.write_text(" 0 [Device         ]: USB-Audio\n")
    assert watch.worth_trying(5.0)
    assert not watch.worth_trying(10.0)
    cards.unlink()
    assert watch.worth_trying(15.0)
