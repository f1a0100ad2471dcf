"""For tests of models: a real HTTP server that misbehaves on demand, cards, tiny networks."""

from __future__ import annotations

import hashlib
import re
import ssl
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from moodride.vision.weights import blob_id

EIGHT = ["anger", "contempt", "disgust", "fear", "happiness", "neutral", "sadness", "surprise"]


@dataclass
class Answer:
    """How the server answers one request; by default as it should."""

    status: int = 200
    body: bytes | None = None
    etag: str | None = '"one"'
    ranges: bool = True
    length: bool = True
    cut: int | None = None
    """The connection ends after so many bytes of the body."""
    stall: int | None = None
    """After so many bytes nothing more comes, but the connection stays."""
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    """Sent instead of HTTP."""


class Server(ThreadingHTTPServer):
    """Serves one content under every path; ``script`` says how the next requests go."""

    daemon_threads = True

    def __init__(self, content: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.content = content
        self.usual = Answer()
        self.script: list[Answer] = []
        self.asked: list[dict[str, str]] = []
        self.let_go = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/models"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that is killed or hangs up is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        server = self.server
        server.asked.append({"path": self.path, **dict(self.headers)})
        answer = server.script.pop(0) if server.script else server.usual
        if answer.raw is not None:
            self.wfile.write(answer.raw)
            return
        body = server.content if answer.body is None else answer.body
        status, extra = answer.status, {}
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = self.headers.get("If-Range") in (None, answer.etag)
        if asked and answer.ranges and same and status == 200:
            start = int(asked[1])
            status = 206 if start < len(body) else 416
            extra["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            body = body[start:] if status == 206 else b""
        self._send(status, {**extra, **answer.headers}, body, answer)

    def _send(self, status: int, extra: dict[str, str], body: bytes, answer: Answer) -> None:
        self.send_response(status)
        if answer.etag:
            self.send_header("ETag", answer.etag)
        if answer.length and "Content-Length" not in extra:
            self.send_header("Content-Length", str(len(body)))
        for name, value in extra.items():
            self.send_header(name, value)
        self.end_headers()
        if extra.get("Transfer-Encoding") == "chunked":
            body = b"".join(
                b"%x\r\n%s\r\n" % (len(part), part)
                for part in (body[i : i + 1000] for i in range(0, len(body), 1000))
            ) + (b"" if answer.cut else b"0\r\n\r\n")
        self.wfile.write(body[: answer.cut if answer.stall is None else answer.stall])
        self.wfile.flush()
        if answer.stall is not None:
            self.server.let_go.wait(30)
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serving(content: bytes, *, certificate: Path | None = None) -> Iterator[Server]:
    """A server on loopback, with TLS where it has a certificate (with its key in the file)."""
    with Server(content) as server:
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.let_go.set()
            server.shutdown()
            thread.join()


def write_card(
    folder: Path,
    content: bytes,
    *,
    name: str = "published",
    labels: Sequence[str] = EIGHT,
    emotions: str = "",
    side: int = 16,
    file: str = "",
    shipped: bool = False,
) -> Path:
    """A card for a network of emotions whose file has that content."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.toml"
    sums = f'sha256 = "{hashlib.sha256(content).hexdigest()}"\nbytes = {len(content)}\n'
    where = (
        f'git_blob = "{blob_id(content)}"\n'
        f'url = "https://models.invalid/folder/{name}.onnx"\n{file}'
    )
    path.write_text(
        f"""
schema = 1
name = "{name}"
task = "emotions"
title = "t"
description = "d"
licence = "Apache-2.0 (code)"
terms = "none"
data = []
[file]
path = "{name}.onnx"
{sums if shipped else where}
[input]
width = {side}
height = {side}
channels = "rgb"
mean = [0, 0, 0]
std = [1, 1, 1]
[emotions]
labels = {list(labels)}
{emotions}
"""
    )
    return path


def tiny_network(weights: Sequence[Sequence[float]], *, side: int = 16, free: bool = True) -> bytes:
    """An ONNX file: the mean of each of three channels, times a 3 x N matrix.

    Written byte by byte as onnx.proto numbers its fields, because the tests of the services
    have no onnx. Input ``x`` and output ``y``; the first dimension has a name if ``free``.
    """
    width = len(weights[0])
    flat = [value for row in weights for value in row]
    matrix = (
        _number(1, 3)
        + _number(1, width)
        + _number(2, 1)
        + _bytes(8, b"w")
        + _bytes(9, struct.pack(f"<{len(flat)}f", *flat))
    )
    batch = _bytes(2, b"batch_size") if free else _number(1, 1)
    shape = [batch, *(_number(1, length) for length in (3, side, side))]
    graph = (
        _bytes(1, _node("GlobalAveragePool", ["x"], "p"))
        + _bytes(1, _node("Flatten", ["p"], "f"))
        + _bytes(1, _node("MatMul", ["f", "w"], "y"))
        + _bytes(2, b"tiny")
        + _bytes(5, matrix)
        + _bytes(11, _value("x", shape))
        + _bytes(12, _value("y", [batch, _number(1, width)]))
    )
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _number(2, 13))


def _node(kind: str, inputs: Sequence[str], output: str) -> bytes:
    names = b"".join(_bytes(1, name.encode()) for name in inputs)
    return names + _bytes(2, output.encode()) + _bytes(4, kind.encode())


def _value(name: str, dims: Sequence[bytes]) -> bytes:
    shape = b"".join(_bytes(1, dim) for dim in dims)
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, _number(1, 1) + _bytes(2, shape)))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def _number(key: int, value: int) -> bytes:
    return _varint(key << 3) + _varint(value)


def _bytes(key: int, value: bytes) -> bytes:
    return _varint(key << 3 | 2) + _varint(len(value)) + value
