"""Git's blob ids and the records of fetched models."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from moodride.errors import ModelError
from moodride.vision.weights import BlobId, blob_id, read_record, record_line, record_of

SHA256 = hashlib.sha256(b"content").hexdigest()


@pytest.mark.parametrize("size", [0, 1, 255, 100_000])
def test_blob_id_is_that_of_git(tmp_path: Path, size: int) -> None:
    if not shutil.which("git"):
        pytest.skip("no git to compare with")
    path = tmp_path / "file"
    path.write_bytes(random.Random(size).randbytes(size))
    command = ["git", "hash-object", "--no-filters", str(path)]
    told = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
    assert blob_id(path.read_bytes()) == told


def test_blob_id_is_the_same_when_the_content_comes_in_pieces() -> None:
    assert blob_id(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"  # known to everyone
    pieces = BlobId(6)
    for piece in (b"", b"abc", b"d", b"ef"):
        pieces.update(piece)
    assert pieces.hexdigest() == blob_id(b"abcdef") != blob_id(b"abcdeg")


def test_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    model = tmp_path / "a.onnx"
    assert read_record(model) is None
    record_of(model).write_text(record_line(model, SHA256))
    assert read_record(model) == SHA256
    record_of(model).write_text(f"{SHA256} *a.onnx")  # sha256sum --binary, no line's end
    assert read_record(model) == SHA256


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        SHA256,
        f"{SHA256}  b.onnx\n",
        f"{SHA256.upper()}  a.onnx\n",
        f"{SHA256[1:]}  a.onnx\n",
        f"{SHA256}  a.onnx\n{SHA256}  a.onnx\n",
        f"{SHA256}  a.onnx\n" + " " * 5000,
        "\0" * 2000,
    ],
)
def test_record_is_refused_when_it_is_not_one(tmp_path: Path, text: str) -> None:
    model = tmp_path / "a.onnx"
    record_of(model).write_text(text)
    with pytest.raises(ModelError, match=r"a\.onnx\.sha256: not the sha256sum of a\.onnx"):
        read_record(model)


def test_record_is_refused_when_it_is_no_file(tmp_path: Path) -> None:
    model = tmp_path / "a.onnx"
    os.mkfifo(record_of(model))
    with pytest.raises(ModelError, match="not the sha256sum"):
        read_record(model)
    record_of(model).unlink()
    record_of(model).mkdir()
    with pytest.raises(ModelError, match=r"sha256: "):
        read_record(model)
