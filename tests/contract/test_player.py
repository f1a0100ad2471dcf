"""One contract, two players: libmpv without sound, and the fake of the scenarios."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playback.encoded import encode
from playback.sounds import tone, track

from moodride.errors import PlaybackError
from moodride.playback.chain import Chain
from moodride.playback.mpv import MpvPlayer
from moodride.playback.options import MpvSettings
from moodride.playback.player import Player, PlayerSnapshot
from moodride.testing.player import FakePlayer
from moodride.types import (
    Cue,
    EndReason,
    OutputChanged,
    PlayerEvent,
    PlayerGone,
    Track,
    TrackEnded,
    TrackStarted,
)

LENGTH_S = 3.0


class Rig:
    """A player, what it said, and a way to let time pass for it."""

    def __init__(self, folder: Path) -> None:
        self.events: list[PlayerEvent] = []
        self.folder = folder
        self.feeding = 0
        self.a, self.b, self.c, self.d = (
            track(tone(folder / f"{name}.wav", 400.0, LENGTH_S, rate=8000), length_s=LENGTH_S)
            for name in "abcd"
        )
        self.player: Player = self.build()

    def build(self) -> Player:
        raise NotImplementedError

    def wait(self, seconds: float) -> None:
        raise NotImplementedError

    def spoil(self, ruined: Track) -> None:
        Path(ruined.path).write_bytes(b"\x00\xffno sound at all\x13" * 500)

    def remove(self, gone: Track) -> None:
        Path(gone.path).unlink()

    def stall(self, slow: Track, *, at_s: float) -> None:
        """Give that much of a track at most, and then nothing."""
        path = Path(slow.path)
        # Of noise at this rate libmpv needs a quarter of a second to know what it is.
        noise = np.random.default_rng(1).normal(0.0, 0.1, (2, round(LENGTH_S * 192_000)))
        sound = encode(path, noise, "flac", rate=192_000).read_bytes()
        sound = sound[: round(at_s / LENGTH_S * len(sound))]
        path.unlink()
        os.mkfifo(path)
        self.feeding = os.open(path, os.O_RDWR)  # held open, or libmpv would see an end
        fcntl.fcntl(self.feeding, fcntl.F_SETPIPE_SZ, 1 << 20)
        os.write(self.feeding, sound)

    def cues(self) -> int:
        """How many cues were laid over the current track."""
        raise NotImplementedError

    def hushed(self) -> bool:
        """Whether the current track is silenced, or on its way there."""
        raise NotImplementedError

    def close(self) -> None:
        self.player.close()
        if self.feeding:
            os.close(self.feeding)

    def until(self, condition: Callable[[], bool], what: str) -> None:
        for _ in range(500):
            if condition():
                return
            self.wait(0.02)
        pytest.fail(f"{what}: never; {self.player.snapshot()}, {self.events}")

    def until_playing(self, wanted: Track) -> None:
        self.until(
            lambda: (
                TrackStarted(path=wanted.path) in self.events
                and self.player.snapshot().path == wanted.path
                and self.player.snapshot().position_s is not None
            ),
            f"{wanted.name} plays",
        )

    def until_heard(self, wanted: Track) -> None:
        """A file is open some moments before the card is."""
        self.until_playing(wanted)
        self.until(lambda: bool(self.player.snapshot().output), "an output")

    def ended(self, one: Track) -> list[EndReason]:
        ends = [e for e in self.events if isinstance(e, TrackEnded)]
        return [e.reason for e in ends if e.path == one.path]

    def started(self) -> list[str]:
        return [Path(e.path).stem for e in self.events if isinstance(e, TrackStarted)]

    def queue(self) -> tuple[str, ...]:
        return tuple(Path(path).stem for path in self.player.snapshot().queue)


class RealRig(Rig):
    def build(self) -> Player:
        self.real = MpvPlayer(self.events.append, settings=MpvSettings(ao="null"))
        return self.real

    def chain(self) -> Chain | None:
        entry = self.real._entries.get(self.real._list.standing()[0])
        return entry.chain if entry else None

    def cues(self) -> int:
        chain = self.chain()
        return len(chain.cues) if chain else 0

    def hushed(self) -> bool:
        chain = self.chain()
        return chain is not None and chain.hushed

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


class FakeRig(Rig):
    def build(self) -> Player:
        self.fake = FakePlayer(self.events.append)
        return self.fake

    def cues(self) -> int:
        return len(self.fake.cues)

    def hushed(self) -> bool:
        return self.fake.hushed

    def wait(self, seconds: float) -> None:
        self.fake.advance(seconds)

    def spoil(self, ruined: Track) -> None:
        self.fake.spoil(ruined.path)

    def remove(self, gone: Track) -> None:
        self.fake.remove(gone.path)

    def stall(self, slow: Track, *, at_s: float) -> None:
        self.fake.stall(slow.path, at_s=at_s)


@pytest.fixture(params=[FakeRig, RealRig], ids=["fake", "libmpv"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    made: Rig = request.param(tmp_path)
    yield made
    made.close()


class TestPlayer:
    def test_is_idle_when_new(self, rig: Rig) -> None:
        said = rig.player.snapshot()
        assert (said.path, said.queue, said.idle, said.position_s) == ("", (), True, None)
        assert not said.paused

    def test_plays_in_order_when_started(self, rig: Rig) -> None:
        rig.player.start([rig.a, rig.b])
        rig.until_playing(rig.a)
        said = rig.player.snapshot()
        assert not said.idle
        assert rig.queue() == ("b",)
        assert said.duration_s == pytest.approx(LENGTH_S, abs=0.01)
        rig.until_playing(rig.b)
        assert rig.ended(rig.a) == [EndReason.EOF]
        assert rig.queue() == ()

    def test_begins_in_the_middle_when_resumed(self, rig: Rig) -> None:
        rig.player.start([rig.a], start_s=1.5, fade_in_s=0.2)
        rig.until_playing(rig.a)
        position_s = rig.player.snapshot().position_s
        assert position_s is not None
        assert 1.499 <= position_s < LENGTH_S  # libmpv counts from a sample before

    def test_drops_everything_when_started_again(self, rig: Rig) -> None:
        rig.player.start([rig.a, rig.b])
        rig.until_playing(rig.a)
        rig.player.start([rig.c, rig.d])
        rig.until_playing(rig.c)
        assert rig.queue() == ("d",)
        assert rig.ended(rig.a) == [EndReason.STOP]

    def test_goes_idle_when_the_queue_runs_dry_and_plays_on_when_fed(self, rig: Rig) -> None:
        rig.player.start([rig.a], start_s=LENGTH_S - 0.4)
        rig.until(lambda: rig.player.snapshot().idle, "idle")
        assert rig.ended(rig.a) == [EndReason.EOF]
        assert rig.player.snapshot().path == ""
        rig.player.append([rig.b])
        rig.until_playing(rig.b)

    def test_queues_at_the_end_when_appended(self, rig: Rig) -> None:
        rig.player.start([rig.a, rig.b])
        rig.player.append([rig.c, rig.d])
        assert rig.queue() == ("b", "c", "d")

    def test_keeps_the_current_track_when_replanned(self, rig: Rig) -> None:
        rig.player.start([rig.a, rig.b, rig.c])
        rig.until_playing(rig.a)
        rig.player.replan([rig.d, rig.b])
        assert rig.queue() == ("d", "b")
        rig.wait(0.2)
        assert rig.player.snapshot().path == rig.a.path
        assert rig.ended(rig.a) == []
        rig.player.replan([])
        assert rig.queue() == ()

    def test_fades_to_the_new_tracks_when_switched(self, rig: Rig) -> None:
        rig.player.start([rig.a, rig.b])
        rig.until_playing(rig.a)
        rig.player.switch([rig.c, rig.d], fade_s=0.6)
        said = rig.player.snapshot()
        assert said.path == rig.a.path
        assert rig.queue() == ("c", "d")
        rig.until_playing(rig.c)
        assert rig.ended(rig.a) == [EndReason.STOP]
        assert rig.queue() == ("d",)
        assert rig.started() == ["a", "c"]

    def test_takes_the_newest_tracks_when_switched_during_a_fade(self, rig: Rig) -> None:
        rig.player.start([rig.a])
        rig.until_playing(rig.a)
        rig.player.switch([rig.b], fade_s=1.2)
        rig.wait(0.1)
        rig.player.switch([rig.c, rig.d], fade_s=1.2)
        rig.until_playing(rig.c)
        assert rig.started() == ["a", "c"]
        assert rig.queue() == ("d",)

    def test_begins_when_switched_from_idle(self, rig: Rig) -> None:
        rig.player.switch([rig.a, rig.b], fade_s=0.3)
        rig.until_playing(rig.a)
        assert rig.queue() == ("b",)

    def test_goes_to_the_next_when_skipped(self, rig: Rig) -> None:
        rig.player.start([rig.a, rig.b, rig.c])
        rig.until_playing(rig.a)
        rig.player.skip(fade_s=0.2)
        rig.until_playing(rig.b)
        assert rig.ended(rig.a) == [EndReason.STOP]
        assert rig.queue() == ("c",)

    def test_loses_no_press_when_skipped_during_a_fade(self, rig: Rig) -> None:
        rig.player.start([rig.a, rig.b, rig.c, rig.d])
        rig.until_playing(rig.a)
        rig.player.skip(fade_s=1.5)
        rig.wait(0.1)
        rig.player.skip(fade_s=1.5)
        assert rig.queue() == ("c", "d")
        rig.until_playing(rig.c)
        assert rig.started() == ["a", "c"]

    def test_loses_no_press_when_paused_within_a_fade_and_skipped(self, rig: Rig) -> None:
        rig.player.start([rig.a, rig.b, rig.c, rig.d])
        rig.until_playing(rig.a)
        rig.player.skip(fade_s=0.8)
        rig.player.set_paused(True)
        rig.player.skip(fade_s=0.8)
        rig.player.set_paused(False)
        rig.until_playing(rig.c)
        assert rig.started() == ["a", "c"]
        assert rig.queue() == ("d",)

    def test_goes_idle_when_skipped_without_a_next(self, rig: Rig) -> None:
        rig.player.start([rig.a])
        rig.until_playing(rig.a)
        rig.player.skip(fade_s=0.1)
        rig.until(lambda: rig.player.snapshot().idle, "idle")
        assert rig.ended(rig.a) == [EndReason.STOP]

    def test_does_nothing_when_skipped_while_idle(self, rig: Rig) -> None:
        rig.player.skip(fade_s=0.1)
        assert rig.player.snapshot().idle

    @pytest.mark.parametrize("verb", ["switch", "skip"])
    def test_changes_at_once_and_stays_paused_when_paused(self, rig: Rig, verb: str) -> None:
        rig.player.start([rig.a, rig.b])
        rig.until_playing(rig.a)
        rig.player.set_paused(True)
        if verb == "switch":
            rig.player.switch([rig.b], fade_s=0.5)
        else:
            rig.player.skip(fade_s=0.5)
        rig.until(lambda: rig.player.snapshot().path == rig.b.path, "b is there")
        assert rig.player.snapshot().paused
        rig.player.set_paused(False)
        rig.until_playing(rig.b)

    def test_stands_still_when_paused(self, rig: Rig) -> None:
        rig.player.start([rig.a])
        rig.until_playing(rig.a)
        rig.player.set_paused(True)
        rig.wait(0.1)
        before = rig.player.snapshot()
        rig.wait(0.3)
        assert before.paused
        assert rig.player.snapshot().position_s == pytest.approx(before.position_s, abs=0.005)

    def test_ends_the_fade_when_paused_within_it_and_let_go(self, rig: Rig) -> None:
        rig.player.start([rig.a, rig.b])
        rig.until_playing(rig.a)
        rig.player.skip(fade_s=0.6)
        rig.player.set_paused(True)
        rig.wait(0.2)
        rig.player.set_paused(False)
        rig.until_playing(rig.b)

    @pytest.mark.parametrize("harm", ["spoil", "remove"])
    def test_goes_on_with_the_next_when_a_track_is_broken(self, rig: Rig, harm: str) -> None:
        getattr(rig, harm)(rig.a)
        getattr(rig, harm)(rig.c)
        rig.player.start([rig.a, rig.b, rig.c, rig.d])
        rig.until_playing(rig.b)
        rig.player.skip(fade_s=0.1)
        rig.until_playing(rig.d)
        assert rig.ended(rig.a) == [EndReason.ERROR]
        assert rig.ended(rig.c) == [EndReason.ERROR]
        details = [e.detail for e in rig.events if isinstance(e, TrackEnded)]
        assert details[0]
        assert rig.started() == ["b", "d"]

    def test_goes_idle_when_every_track_is_broken(self, rig: Rig) -> None:
        rig.spoil(rig.a)
        rig.remove(rig.b)
        rig.player.start([rig.a, rig.b])
        rig.until(lambda: len(rig.events) >= 2 and rig.player.snapshot().idle, "idle")
        assert (rig.ended(rig.a), rig.ended(rig.b)) == ([EndReason.ERROR], [EndReason.ERROR])

    def test_keeps_the_queue_and_says_each_failure_when_five_in_a_row_fail(self, rig: Rig) -> None:
        broken = [track(rig.folder / f"broken {n}.wav") for n in range(5)]
        for one in broken:
            rig.spoil(one)
        rig.player.start([rig.a, *broken, rig.b, rig.c], start_s=LENGTH_S - 0.3)
        rig.until_playing(rig.b)
        assert [rig.ended(one) for one in broken] == [[EndReason.ERROR]] * 5
        assert rig.queue() == ("c",)
        assert rig.started() == ["a", "b"]

    def test_says_so_when_the_medium_gives_nothing(self, rig: Rig) -> None:
        rig.stall(rig.a, at_s=1.0)
        rig.player.start([rig.a, rig.b])
        rig.until(lambda: rig.player.snapshot().starved, "starved")
        said = rig.player.snapshot()
        assert (said.path, said.paused, said.idle) == (rig.a.path, False, False)
        assert said.position_s is not None
        assert 0.0 < said.position_s <= 1.1  # libmpv keeps some of what it was given
        assert rig.queue() == ("b",)
        rig.wait(0.2)
        assert rig.player.snapshot() == said

    @pytest.mark.parametrize("verb", ["switch", "skip"])
    def test_goes_on_at_once_when_the_medium_gives_nothing(self, rig: Rig, verb: str) -> None:
        rig.stall(rig.a, at_s=1.0)
        rig.player.start([rig.a, rig.b])
        rig.until(lambda: rig.player.snapshot().starved, "starved")
        if verb == "switch":
            rig.player.switch([rig.b], fade_s=0.5)
        else:
            rig.player.skip(fade_s=0.5)
        rig.until_playing(rig.b)
        assert rig.ended(rig.a) == [EndReason.STOP]
        assert not rig.player.snapshot().starved

    def test_goes_on_when_skipped_while_the_medium_lets_nothing_be_opened(self, rig: Rig) -> None:
        rig.stall(rig.a, at_s=0.0)
        rig.player.start([rig.a, rig.b])
        rig.wait(0.2)
        rig.player.skip(fade_s=0.5)
        rig.until_playing(rig.b)
        assert rig.ended(rig.a) == [EndReason.STOP]

    def test_goes_on_when_the_medium_stops_within_a_fade_and_skip_is_pressed_again(
        self, rig: Rig
    ) -> None:
        rig.stall(rig.a, at_s=1.0)
        rig.player.start([rig.a, rig.b, rig.c])
        rig.until_playing(rig.a)
        rig.player.skip(fade_s=9.0)
        rig.until(lambda: rig.player.snapshot().starved, "starved")
        rig.player.skip(fade_s=9.0)
        rig.until_playing(rig.c)
        assert rig.started() == ["a", "c"]

    def test_leaves_the_volume_alone_when_it_fades(self, rig: Rig) -> None:
        rig.player.set_volume_pct(40.0)
        rig.player.start([rig.a, rig.b], fade_in_s=0.3)
        rig.until_playing(rig.a)
        rig.player.skip(fade_s=0.3)
        assert rig.player.snapshot().volume_pct == pytest.approx(40.0)
        rig.until_playing(rig.b)
        assert rig.player.snapshot().volume_pct == pytest.approx(40.0)

    def test_leaves_the_music_as_it_was_when_a_cue_sounds(self, rig: Rig) -> None:
        rig.player.start([rig.a, rig.b])
        rig.until_heard(rig.a)
        for cue in (Cue.TOUCH, Cue.HAND):
            rig.player.cue(cue)
        said = rig.player.snapshot()
        assert rig.cues() == 2
        assert (said.path, said.paused, said.volume_pct) == (rig.a.path, False, 70.0)
        assert rig.queue() == ("b",)
        rig.until_playing(rig.b)
        assert rig.ended(rig.a) == [EndReason.EOF]

    @pytest.mark.parametrize("cue", Cue)
    def test_knows_every_cue(self, rig: Rig, cue: Cue) -> None:
        rig.player.start([rig.a])
        rig.until_heard(rig.a)
        rig.player.cue(cue)
        assert rig.cues() == 1

    def test_sounds_no_cue_where_nothing_sounds(self, rig: Rig) -> None:
        rig.player.cue(Cue.READY)
        assert rig.player.snapshot().idle
        rig.player.start([rig.a])
        rig.until_heard(rig.a)
        rig.player.set_paused(True)
        rig.player.cue(Cue.READY)
        rig.player.set_paused(False)
        assert rig.cues() == 0
        rig.player.hush(fade_s=0.1)
        rig.player.cue(Cue.READY)
        assert rig.cues() == 0

    def test_sounds_no_cue_when_the_medium_gives_nothing(self, rig: Rig) -> None:
        rig.stall(rig.a, at_s=1.0)
        rig.player.start([rig.a, rig.b])
        rig.until(lambda: rig.player.snapshot().starved, "starved")
        rig.player.cue(Cue.TROUBLE)
        assert rig.cues() == 0

    @pytest.mark.parametrize("first", ["cue", "skip"])
    def test_changes_tracks_as_ever_when_a_cue_goes_with_it(self, rig: Rig, first: str) -> None:
        rig.player.start([rig.a, rig.b, rig.c])
        rig.until_heard(rig.a)
        if first == "cue":
            rig.player.cue(Cue.SKIP)
        rig.player.skip(fade_s=0.4)
        if first == "skip":
            rig.player.cue(Cue.SKIP)
        rig.until_playing(rig.b)
        assert rig.ended(rig.a) == [EndReason.STOP]
        assert rig.queue() == ("c",)
        assert rig.started() == ["a", "b"]

    def test_runs_on_unheard_when_hushed_and_is_brought_back(self, rig: Rig) -> None:
        rig.player.start([rig.a, rig.b])
        rig.until_heard(rig.a)
        rig.player.hush(fade_s=0.2)
        rig.player.hush(fade_s=0.2)
        assert rig.hushed()
        before = rig.player.snapshot()
        rig.until(
            lambda: (rig.player.snapshot().position_s or 0.0) > (before.position_s or 0.0) + 0.1,
            "running on",
        )
        assert (before.path, before.paused, before.volume_pct) == (rig.a.path, False, 70.0)
        rig.player.rise(fade_s=0.2)
        assert not rig.hushed()
        assert rig.queue() == ("b",)

    def test_is_hushed_still_after_a_pause_and_paused_still_when_it_rises(self, rig: Rig) -> None:
        rig.player.start([rig.a])
        rig.until_heard(rig.a)
        rig.player.hush(fade_s=0.2)
        rig.player.set_paused(True)
        rig.player.set_paused(False)
        assert rig.hushed()
        rig.player.set_paused(True)
        rig.player.rise(fade_s=0.2)
        assert not rig.hushed()
        assert rig.player.snapshot().paused

    def test_does_nothing_when_raised_and_nothing_was_hushed(self, rig: Rig) -> None:
        rig.player.rise(fade_s=0.2)
        rig.player.hush(fade_s=0.2)
        assert rig.player.snapshot().idle
        rig.player.start([rig.a])
        rig.until_heard(rig.a)
        assert not rig.hushed()
        rig.player.rise(fade_s=0.2)
        assert not rig.hushed()

    @pytest.mark.parametrize("verb", ["skip", "switch", "start"])
    def test_is_heard_when_another_track_begins_after_a_hush(self, rig: Rig, verb: str) -> None:
        rig.player.start([rig.a, rig.b])
        rig.until_heard(rig.a)
        rig.player.hush(fade_s=0.1)
        if verb == "skip":
            rig.player.skip(fade_s=0.2)
        elif verb == "switch":
            rig.player.switch([rig.b], fade_s=0.2)
        else:
            rig.player.start([rig.b])
        rig.until_playing(rig.b)
        assert not rig.hushed()

    @pytest.mark.parametrize(("asked", "got"), [(-5.0, 0.0), (250.0, 100.0), (33.0, 33.0)])
    def test_keeps_the_volume_within_bounds_when_set(
        self, rig: Rig, asked: float, got: float
    ) -> None:
        rig.player.set_volume_pct(asked)
        assert rig.player.snapshot().volume_pct == pytest.approx(got)

    @pytest.mark.parametrize("verb", ["start", "switch"])
    def test_refuses_when_there_are_no_tracks(self, rig: Rig, verb: str) -> None:
        named = {"fade_s": 0.1} if verb == "switch" else {}
        with pytest.raises(ValueError, match="at least one track"):
            getattr(rig.player, verb)([], **named)

    def test_says_so_when_used_after_closing(self, rig: Rig) -> None:
        rig.player.start([rig.a])
        rig.until_playing(rig.a)
        rig.player.close(fade_s=0.1)
        rig.player.close()
        with pytest.raises(PlaybackError, match="closed"):
            rig.player.snapshot()
        with pytest.raises(PlaybackError, match="closed"):
            rig.player.skip(fade_s=0.1)
        with pytest.raises(PlaybackError, match="closed"):
            rig.player.cue(Cue.TOUCH)
        with pytest.raises(PlaybackError, match="closed"):
            rig.player.hush(fade_s=0.1)
        with pytest.raises(PlaybackError, match="closed"):
            rig.player.rise(fade_s=0.1)
        assert rig.ended(rig.a)


class TestFakePlayer:
    """What happens to the fake by hand, as it would happen in a car."""

    @pytest.fixture
    def rig(self, tmp_path: Path) -> FakeRig:
        return FakeRig(tmp_path)

    def test_plays_without_a_card_and_comes_back_when_asked(self, rig: FakeRig) -> None:
        rig.player.start([rig.a])
        assert rig.player.snapshot().output == "alsa"
        rig.fake.unplug_card()
        assert rig.player.snapshot().output == "null"
        rig.fake.try_output()
        assert rig.player.snapshot().output == "null"
        rig.fake.plug_card()
        rig.wait(1.0)
        assert rig.player.snapshot().output == "null"
        rig.fake.try_output()
        outputs = [e.name for e in rig.events if isinstance(e, OutputChanged)]
        assert outputs == ["alsa", "null", "alsa"]
        assert rig.player.snapshot().position_s == pytest.approx(1.0)

    def test_remembers_the_cues_that_were_heard(self, rig: FakeRig) -> None:
        rig.player.start([rig.a, rig.b])
        rig.wait(1.0)
        rig.player.cue(Cue.TOUCH)
        rig.wait(0.4)
        rig.player.cue(Cue.SKIP)
        rig.fake.unplug_card()
        rig.player.cue(Cue.TROUBLE)
        began_s = rig.fake.clock() - 1.4
        assert rig.fake.cues == [
            (pytest.approx(began_s + 1.0), Cue.TOUCH),
            (pytest.approx(began_s + 1.4), Cue.SKIP),
        ]

    def test_has_no_output_when_idle(self, rig: FakeRig) -> None:
        rig.player.start([rig.a])
        rig.wait(LENGTH_S + 1.0)
        assert rig.player.snapshot() == PlayerSnapshot(volume_pct=70.0)
        assert rig.events[-1] == OutputChanged(name="")

    def test_plays_a_file_again_when_it_was_restored(self, rig: FakeRig) -> None:
        rig.remove(rig.a)
        rig.player.start([rig.a])
        rig.fake.restore(rig.a.path)
        rig.player.append([rig.a])
        assert rig.started() == ["a"]

    def test_ends_early_when_its_file_was_cut(self, rig: FakeRig) -> None:
        rig.player.start([rig.a, rig.b])
        rig.fake.cut(rig.a.path, 1.0)
        rig.wait(1.5)
        assert rig.ended(rig.a) == [EndReason.EOF]
        assert rig.player.snapshot().position_s == pytest.approx(0.5)

    def test_plays_on_when_its_medium_was_restored(self, rig: FakeRig) -> None:
        rig.stall(rig.a, at_s=1.0)
        rig.player.start([rig.a])
        rig.wait(5.0)
        rig.fake.restore(rig.a.path)
        rig.wait(0.5)
        assert rig.player.snapshot().position_s == pytest.approx(1.5)

    def test_is_gone_when_it_crashed(self, rig: FakeRig) -> None:
        rig.player.start([rig.a])
        rig.fake.crash()
        assert rig.events[-1] == PlayerGone()
        with pytest.raises(PlaybackError, match="restart the service"):
            rig.player.snapshot()

    def test_is_exact_over_many_tracks_when_time_jumps(self, rig: FakeRig) -> None:
        rig.player.start([rig.a, rig.b, rig.c])
        rig.fake.clock.advance(2.5 * LENGTH_S)
        assert rig.started() == ["a"]
        rig.fake.catch_up()
        assert rig.started() == ["a", "b", "c"]
        assert rig.player.snapshot().position_s == pytest.approx(0.5 * LENGTH_S)
