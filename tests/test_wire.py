"""The datagram: what goes in comes out, and garbage is refused and counted."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moodride import wire
from moodride.errors import ServiceError, WireError
from moodride.types import EMOTIONS, CostMs, Face, Reading


def full_reading(seq: int = 17) -> Reading:
    return Reading(
        seq=seq,
        t_s=3.4,
        face=Face(
            box_xyxy=(1.5, 2.0, 100.0, 120.5),
            score=0.98,
            landmarks_xy=((10, 20), (30, 20), (20, 30), (12, 40), (28, 40)),
            quality=0.8,
            faces_seen=2,
            mouth_moves=0.625,
        ),
        emotion=(0.3, 0.3, 0.1, 0.1, 0.1, 0.05, 0.03, 0.02),
        valence=0.25,
        arousal=-0.5,
        cost_ms=CostMs(capture=1.25, detect=4.5, emotion=2.0),
    )


def test_line_when_written_has_exactly_the_promised_keys() -> None:
    document = json.loads(wire.to_json(full_reading()))
    assert list(document) == [
        "v", "seq", "t_s", "face", "emotion", "valence", "arousal", "cost_ms",
    ]  # fmt: skip
    assert document["v"] == 1
    names = {"box_xyxy", "score", "landmarks_xy", "quality", "faces_seen", "mouth_moves"}
    assert set(document["face"]) == names
    assert list(document["emotion"]) == [e.value for e in EMOTIONS]
    assert set(document["cost_ms"]) == {"capture", "detect", "emotion"}


def test_reading_when_sent_and_received_is_the_same() -> None:
    assert wire.decode(wire.encode(full_reading())) == full_reading()
    empty = Reading(seq=0, t_s=0.0)
    assert wire.decode(wire.encode(empty)) == empty


def test_reading_when_recorded_before_mouths_were_watched_is_read() -> None:
    document = json.loads(wire.to_json(full_reading()))
    del document["face"]["mouth_moves"]
    face = wire.decode(json.dumps(document)).face
    assert face is not None
    assert face.mouth_moves is None
    assert face.faces_seen == 2


def test_reading_when_largest_fits_the_datagram() -> None:
    face = Face(
        box_xyxy=(-9999.1, -9999.1, 99999.1, 99999.1),
        score=0.123,
        landmarks_xy=((-9999.1, 99999.1),) * 5,
        quality=0.123,
        faces_seen=1000,
        mouth_moves=0.123,
    )
    big = Reading(
        seq=2**62,
        t_s=123456789.123,
        face=face,
        emotion=(0.1249, 0.1251) * 4,
        valence=-0.123,
        arousal=-0.123,
        cost_ms=CostMs(capture=9999.12, detect=9999.12, emotion=9999.12),
    )
    assert len(wire.encode(big)) <= wire.MAX_BYTES


def _with(**changes: object) -> str:
    return json.dumps({**json.loads(wire.to_json(full_reading())), **changes})


def _face_with(**changes: object) -> str:
    face = json.loads(wire.to_json(full_reading()))["face"]
    return _with(face={**face, **changes})


BAD = {
    "empty": b"",
    "bytes": b"\xff\x00\x01",
    "prose": b"hello",
    "list": b"[]",
    "number": b"3",
    "null": b"null",
    "version": _with(v=2).encode(),
    "no version": b'{"seq": 1}',
    "nan": wire.to_json(full_reading()).replace("0.25", "NaN").encode(),
    "infinity": wire.to_json(full_reading()).replace("3.4", "Infinity").encode(),
    "overflow": wire.to_json(full_reading()).replace("3.4", "1e999").encode(),
    "long integer": wire.to_json(full_reading()).replace("3.4", "9" * 320).encode(),
    "negative time": _with(t_s=-1).encode(),
    "extra key": _with(more=1).encode(),
    "bool": _with(valence=True).encode(),
    "string": _with(arousal="0.1").encode(),
    "valence": _with(valence=1.5).encode(),
    "sequence": _with(seq=-1).encode(),
    "fraction": _with(seq=1.5).encode(),
    "sum": _with(emotion={e.value: 0.5 for e in EMOTIONS}).encode(),
    "labels": _with(emotion={"joy": 1.0}).encode(),
    "face is list": _with(face=[1]).encode(),
    "score": _face_with(score=7).encode(),
    "box": _face_with(box_xyxy=[10, 10, 5, 5]).encode(),
    "landmarks": _face_with(landmarks_xy=[[1, 2]]).encode(),
    "point": _face_with(landmarks_xy=[[1]] * 5).encode(),
    "faces": _face_with(faces_seen=0).encode(),
    "mouth": _face_with(mouth_moves=1.5).encode(),
    "mouth text": _face_with(mouth_moves="much").encode(),
    "deep": b"[" * 1000,
    "long": b" " * (wire.MAX_BYTES + 1),
    "cost": _with(cost_ms={"capture": -1, "detect": 0, "emotion": 0}).encode(),
}


@pytest.mark.parametrize("name", BAD)
def test_datagram_when_garbage_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(WireError) as caught:
        wire.decode(BAD[name])
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


@given(st.binary(max_size=1100))
def test_decode_when_fed_any_bytes_raises_only_wire_errors(data: bytes) -> None:
    try:
        wire.decode(data)
    except WireError:
        return
    pytest.fail("random bytes are no reading")


def test_reading_when_not_finite_cannot_be_encoded() -> None:
    with pytest.raises(WireError):
        wire.encode(Reading(seq=0, t_s=0.0, valence=float("nan")))


def test_receiver_when_many_wait_returns_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "readings.sock"
    receiver, sender = wire.ReadingReceiver(path), wire.ReadingSender(path)
    for seq in range(5):
        assert sender.send(full_reading(seq))
    newest = receiver.receive(1.0)
    assert newest is not None
    assert newest.seq == 4
    assert receiver.receive(0.0) is None
    assert receiver.received == 5


def test_receiver_when_fed_garbage_counts_it_and_keeps_the_good_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "readings.sock"
    receiver = wire.ReadingReceiver(path)
    raw = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    for data in (b"x", b"\x00" * 4000, b"{}"):
        raw.sendto(data, str(path))
    raw.sendto(wire.encode(full_reading(3)), str(path))
    reading = receiver.receive(1.0)
    assert reading is not None
    assert reading.seq == 3
    assert receiver.refused == 3
    assert len(caplog.records) == 1, "one line a burst"


def test_sender_when_nobody_listens_drops_and_finds_the_listener_later(tmp_path: Path) -> None:
    path = tmp_path / "readings.sock"
    sender = wire.ReadingSender(path)
    assert not sender.send(full_reading())
    receiver = wire.ReadingReceiver(path)
    assert sender.send(full_reading())
    receiver.close()
    assert not sender.send(full_reading())
    second = wire.ReadingReceiver(path)
    assert sender.send(full_reading(9))
    reading = second.receive(1.0)
    assert reading is not None
    assert reading.seq == 9
    assert sender.dropped == 2


def test_sender_when_the_queue_is_full_drops_without_blocking(tmp_path: Path) -> None:
    path = tmp_path / "readings.sock"
    receiver, sender = wire.ReadingReceiver(path), wire.ReadingSender(path)
    results = [sender.send(full_reading(i)) for i in range(2000)]
    assert results[0]
    assert not results[-1]
    assert receiver.receive(0.1) is not None
    assert sender.send(full_reading())


def test_receiver_when_another_lives_there_says_so(tmp_path: Path) -> None:
    path = tmp_path / "readings.sock"
    first = wire.ReadingReceiver(path)
    with pytest.raises(ServiceError, match="another moodride is running"):
        wire.ReadingReceiver(path)
    first.close()
    wire.ReadingReceiver(path).close()
    assert not path.exists()


def test_receiver_when_a_dead_process_left_its_socket_takes_over(tmp_path: Path) -> None:
    path = tmp_path / "readings.sock"
    code = (
        "import os, signal, sys; from pathlib import Path; from moodride.wire import *;"
        "r = ReadingReceiver(Path(sys.argv[1])); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert path.exists()
    wire.ReadingReceiver(path).close()


def test_receiver_when_a_file_is_in_the_way_leaves_it(tmp_path: Path) -> None:
    path = tmp_path / "readings.sock"
    path.write_text("mine")
    with pytest.raises(ServiceError, match="in the way"):
        wire.ReadingReceiver(path)
    assert path.read_text() == "mine"


def test_receiver_when_the_path_is_too_long_says_so(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="paths.runtime"):
        wire.ReadingReceiver(tmp_path / ("x" * 150))


def test_receiver_when_the_folder_is_forbidden_says_so() -> None:
    with pytest.raises(ServiceError, match="paths.runtime"):
        wire.ReadingReceiver(Path("/proc/moodride/readings.sock"))


def test_receiver_when_flooded_with_garbage_comes_back_and_says_it_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "readings.sock"
    receiver, sender = wire.ReadingReceiver(path), wire.ReadingSender(path)
    raw = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    raw.setblocking(False)
    calls = 0
    for _ in range(50):
        for _ in range(8):
            with contextlib.suppress(BlockingIOError):
                raw.sendto(b"garbage", str(path))
        receiver.receive(0.0)
        calls += 1
    while receiver.receive(0.0) is not None or receiver.refused < 300:
        calls += 1
    assert sender.send(full_reading(8))
    good = receiver.receive(0.5)
    assert good is not None
    assert good.seq == 8
    assert len(caplog.records) == 1, "also when good readings come in between"


def test_receiver_when_the_folder_is_open_to_all_refuses_it(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(ServiceError, match="anybody may write there"):
        wire.ReadingReceiver(folder / "readings.sock")
