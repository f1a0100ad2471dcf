"""Fetching a model from a real server on loopback: good, and in every way bad."""

from __future__ import annotations

import random
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from models_kit import Answer, Server, serving, write_card

from moodride.errors import ModelError, ServiceError, StorageError
from moodride.models import address, part
from moodride.models.fetch import TRIES, fetch
from moodride.vision.card import LARGEST_MODEL, Card, load_card

CONTENT = random.Random(5).randbytes(300_000)


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(CONTENT) as one:
        yield one


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return load_card(write_card(tmp_path / "models", CONTENT))


def get(card: Card, server: Server) -> str:
    return fetch(card, mirror=server.url, pause_s=0.0)


def files(card: Card) -> set[str]:
    return {path.name for path in card.source.parent.iterdir()} - {card.source.name}


WHOLE = {"published.onnx", "published.onnx.sha256"}
STOPPED = {"published.onnx.part", "published.onnx.about.part"}


def stop_after(size: int) -> object:
    """A report that behaves like Ctrl-C once so many bytes are here."""

    def report(here: int, _total: int | None) -> None:
        if here >= size:
            raise KeyboardInterrupt

    return report


def stop(card: Card, server: Server, size: int = 100_000) -> bytes:
    """Interrupt a fetch; returns what the part file holds."""
    with pytest.raises(KeyboardInterrupt):
        fetch(card, mirror=server.url, report=stop_after(size))
    assert files(card) == STOPPED
    return card.model_path.with_name("published.onnx.part").read_bytes()


def test_model_is_whole_recorded_and_readable_by_all_when_fetched(
    card: Card, server: Server
) -> None:
    seen: list[tuple[int, int | None]] = []
    sha256 = fetch(card, mirror=server.url, report=lambda *step: seen.append(step))
    assert card.read_model() == CONTENT
    assert files(card) == WHOLE
    assert card.model_path.stat().st_mode & 0o777 == 0o644
    assert seen[0] == (0, len(CONTENT))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert server.asked[0]["path"] == "/models/published.onnx"
    assert server.asked[0]["Accept-Encoding"] == "identity"
    checked = subprocess.run(
        ["sha256sum", "--check", "published.onnx.sha256"],
        cwd=card.source.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.stdout == "published.onnx: OK\n"
    assert sha256 in (card.source.parent / "published.onnx.sha256").read_text()


def test_model_is_fetched_when_only_its_sha256_is_known(tmp_path: Path, server: Server) -> None:
    path = write_card(tmp_path, CONTENT, shipped=True)
    path.write_text(
        path.read_text().replace("[input]", 'url = "https://x.invalid/x.onnx"\n[input]')
    )
    assert get(load_card(path), server)
    server.content = CONTENT[::-1]
    with pytest.raises(ModelError, match="its sha256 differs"):
        get(load_card(path), server)


def test_rest_is_asked_for_when_the_connection_is_cut(card: Card, server: Server) -> None:
    server.script = [Answer(cut=120_000), Answer(cut=70_000)]
    get(card, server)
    assert card.read_model() == CONTENT
    assert [one.get("Range") for one in server.asked] == [None, "bytes=120000-", "bytes=190000-"]
    assert [one.get("If-Range") for one in server.asked[1:]] == ['"one"', '"one"']


def test_fetch_goes_on_when_it_was_interrupted(card: Card, server: Server) -> None:
    held = stop(card, server)
    assert CONTENT.startswith(held)
    get(card, server)
    assert server.asked[-1]["Range"] == f"bytes={len(held)}-"
    assert card.read_model() == CONTENT
    assert files(card) == WHOLE


def test_nothing_is_asked_for_when_only_the_last_step_was_missing(
    card: Card, server: Server
) -> None:
    stop(card, server, len(CONTENT))
    server.asked.clear()
    get(card, server)
    assert not server.asked
    assert card.read_model() == CONTENT


def test_fetch_starts_anew_when_the_server_knows_no_ranges(card: Card, server: Server) -> None:
    stop(card, server)
    server.usual = Answer(ranges=False)
    get(card, server)
    assert "Range" in server.asked[-1]
    assert card.read_model() == CONTENT


def test_fetch_starts_anew_when_the_content_changed_in_between(card: Card, server: Server) -> None:
    server.content = CONTENT[::-1]
    stop(card, server)
    server.content, server.usual = CONTENT, Answer(etag='"two"')
    get(card, server)
    assert server.asked[-1]["If-Range"] == '"one"'
    assert len(server.asked) == 2
    assert card.read_model() == CONTENT


@pytest.mark.parametrize("etag", ['W/"one"', None, "one", '"a b"'])
def test_fetch_starts_anew_when_the_server_names_no_version(
    card: Card, server: Server, etag: str | None
) -> None:
    server.usual = Answer(etag=etag)
    stop(card, server)
    get(card, server)
    assert "Range" not in server.asked[-1]
    assert card.read_model() == CONTENT


@pytest.mark.parametrize(
    "lie",
    [
        Answer(status=206, headers={"Content-Range": f"bytes 5-9/{len(CONTENT)}"}),
        Answer(status=206, headers={"Content-Range": "bytes garbage"}),
        Answer(status=206, etag='"two"'),
        Answer(status=206),
        Answer(status=416),
    ],
    ids=["place", "garbage", "version", "unasked", "unsatisfiable"],
)
def test_fetch_starts_anew_when_another_part_is_sent(
    card: Card, server: Server, lie: Answer
) -> None:
    stop(card, server)
    server.script = [lie]
    get(card, server)
    assert card.read_model() == CONTENT


@pytest.mark.parametrize(
    "damage", ["changed", "longer", "shorter", "foreign", "no etag", "list", "deep"]
)
def test_fetch_ends_well_when_the_part_file_was_damaged(
    card: Card, server: Server, damage: str
) -> None:
    stop(card, server)
    folder = card.source.parent
    held = folder / "published.onnx.part"
    about = folder / "published.onnx.about.part"
    if damage == "changed":
        held.write_bytes(b"\0" * held.stat().st_size)
    elif damage == "longer":
        held.write_bytes(CONTENT + b"!")
    elif damage == "shorter":
        held.write_bytes(CONTENT[:10])
    elif damage == "foreign":
        about.write_text(about.read_text().replace('"content": "', '"content": "0'))
    elif damage == "no etag":
        about.write_text(about.read_text().replace('"\\"one\\""', "7"))
    else:
        about.write_text("[]" if damage == "list" else "[" * 4000)
    get(card, server)
    tried = damage in {"changed", "shorter"}  # only the end, or the rest itself, can tell
    assert ("Range" in server.asked[1]) == tried
    assert card.read_model() == CONTENT
    assert files(card) == WHOLE


def test_wrong_content_is_thrown_away_and_named(card: Card, server: Server) -> None:
    server.content = CONTENT[:-1] + b"!"
    card.model_path.write_bytes(b"what was here before")
    with pytest.raises(ModelError) as caught:
        get(card, server)
    line = str(caught.value)
    assert line.startswith(f"{server.url}/published.onnx: another file of 300000 bytes came")
    assert f"not {card.file.git_blob}" in line
    assert "--mirror" in line
    assert card.model_path.read_bytes() == b"what was here before"
    assert files(card) == {"published.onnx"}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<!DOCTYPE html><title>Sign in</title>", "a web page of 37 bytes came"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a pointer of Git LFS came"),
        (b"", "another file of 0 bytes came"),
    ],
    ids=["page", "pointer", "empty"],
)
def test_what_came_instead_is_said_when_it_is_known(
    card: Card, server: Server, content: bytes, says: str
) -> None:
    server.content = content
    with pytest.raises(ModelError, match=says):
        get(card, server)
    assert files(card) == set()


def test_fetch_is_refused_when_too_much_is_offered(card: Card, server: Server) -> None:
    server.usual = Answer(headers={"Content-Length": str(LARGEST_MODEL + 1)})
    with pytest.raises(ModelError, match=f"offers {LARGEST_MODEL + 1} bytes, more than"):
        get(card, server)
    assert files(card) == set()


def test_fetch_is_refused_when_more_is_sent_than_the_card_says(
    tmp_path: Path, server: Server
) -> None:
    card = load_card(write_card(tmp_path, CONTENT[:1000], file="bytes = 1000\n"))
    server.usual = Answer(length=False)
    with pytest.raises(ModelError, match="sends more than 1000 bytes"):
        get(card, server)
    server.usual = Answer(body=CONTENT[:999])
    with pytest.raises(ModelError, match="offers another file: 999 bytes, the card says 1000"):
        get(card, server)
    assert files(card) == set()


def test_model_is_whole_when_the_server_names_no_length(card: Card, server: Server) -> None:
    server.usual = Answer(length=False)
    get(card, server)
    assert card.read_model() == CONTENT


def test_model_is_whole_when_it_comes_in_chunks(card: Card, server: Server) -> None:
    chunked = {"Transfer-Encoding": "chunked"}
    server.usual = Answer(length=False, headers=chunked)
    server.script = [Answer(length=False, headers=chunked, cut=50_000)]
    get(card, server)
    assert card.read_model() == CONTENT
    assert len(server.asked) == 2, "chunks that end early are noticed"


def test_fetch_is_refused_when_the_file_comes_packed(card: Card, server: Server) -> None:
    server.usual = Answer(headers={"Content-Encoding": "gzip"})
    with pytest.raises(ModelError, match="packed"):
        get(card, server)
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [403, 404, 410, 451, 204, 304])
def test_fetch_fails_at_once_when_the_answer_will_not_change(
    card: Card, server: Server, status: int
) -> None:
    server.usual = Answer(status=status, body=b"")
    with pytest.raises(ModelError, match=f"published.onnx: answers {status}"):
        get(card, server)
    assert len(server.asked) == 1
    assert files(card) == set()


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_fetch_tries_again_when_the_server_is_in_trouble(
    card: Card, server: Server, status: int
) -> None:
    server.script = [Answer(status=status, body=b"oops")] * 2
    get(card, server)
    assert card.read_model() == CONTENT


def test_fetch_gives_up_when_the_trouble_stays(card: Card, server: Server) -> None:
    server.usual = Answer(status=503, body=b"")
    with pytest.raises(ServiceError, match="answers 503.*check the network") as caught:
        get(card, server)
    assert len(server.asked) == TRIES
    assert "\n" not in str(caught.value)


def test_fetch_gives_up_when_only_beginnings_come(card: Card, server: Server) -> None:
    server.usual = Answer(cut=1000, etag=None)
    with pytest.raises(ServiceError, match="broke off after 1000 of 300000 bytes"):
        get(card, server)
    assert len(server.asked) == TRIES


@pytest.mark.parametrize("raw", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 9999 \r\n\r\n"], ids=len)
def test_fetch_gives_up_when_no_http_comes(card: Card, server: Server, raw: bytes) -> None:
    server.usual = Answer(raw=raw)
    with pytest.raises(ServiceError, match="cannot be reached"):
        get(card, server)
    assert files(card) == set()


def test_fetch_gives_up_when_nobody_listens(card: Card) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ServiceError, match="Connection refused"):
        fetch(card, mirror=f"http://127.0.0.1:{port}", pause_s=0.0)


def test_fetch_gives_up_when_the_server_falls_silent(
    card: Card, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(address, "TIMEOUT_S", 0.05)
    server.usual = Answer(stall=0)
    with pytest.raises(ServiceError, match="does not answer in time"):
        get(card, server)


@pytest.mark.parametrize("target", ["http://127.0.0.1:1/x", "ftp://h/x", "file:///etc/passwd"])
def test_redirect_is_refused_when_it_is_not_to_https(
    card: Card, server: Server, target: str
) -> None:
    server.usual = Answer(status=302, body=b"", headers={"Location": target})
    with pytest.raises(ModelError, match="is not https|is not allowed"):
        get(card, server)
    assert len(server.asked) == 1


@pytest.mark.parametrize("target", ["https://[bad/x", "https://h\xe9/x"])
def test_redirect_is_refused_when_it_is_to_no_address(
    card: Card, server: Server, target: str
) -> None:
    server.usual = Answer(status=302, body=b"", headers={"Location": target})
    with pytest.raises(ModelError, match="published.onnx: cannot be opened, or leads to"):
        get(card, server)
    assert len(server.asked) == 1
    assert files(card) == set()


@pytest.mark.parametrize("url", ["https://[h/x", "https://a..invalid/x", "https://m.invalid/\xe4"])
def test_fetch_is_refused_when_the_cards_address_is_none(card: Card, url: str) -> None:
    text = card.source.read_text()
    card.source.write_text(text.replace("https://models.invalid/folder/published.onnx", url))
    with pytest.raises(ModelError, match="cannot be opened"):
        fetch(load_card(card.source), pause_s=0.0)
    assert files(card) == set()


def test_fetch_is_refused_when_the_proxy_is_no_address(
    card: Card, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", "http:/x")
    monkeypatch.setenv("no_proxy", "")
    with pytest.raises(ModelError, match="proxy URL"):
        fetch(card, pause_s=0.0)


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    if not shutil.which("openssl"):
        pytest.skip("no openssl to make a certificate")
    path = tmp_path / "certificate.pem"
    key = tmp_path / "key.pem"
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
        f"-subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {path}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    path.write_text(path.read_text() + key.read_text())
    return path


def test_redirect_is_followed_when_it_is_to_https(
    card: Card, server: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(CONTENT, certificate=certificate) as safe:
        target = safe.url.replace("http:", "https:") + "/elsewhere"
        server.usual = Answer(status=302, body=b"", headers={"Location": target})
        with pytest.raises(ServiceError, match="is not who it says it is"):
            get(card, server)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        get(card, server)
        assert safe.asked[-1]["path"] == "/models/elsewhere"
        assert card.read_model() == CONTENT
        again = server.url + "/x"
        safe.usual = Answer(status=301, body=b"", headers={"Location": again})
        with pytest.raises(ModelError, match="is not https"):
            get(card, server)


@pytest.mark.parametrize(
    "mirror",
    [
        "http://example.org/models",
        "http://127.0.0.1.example.org/",
        "ftp://127.0.0.1/",
        "file:///srv/models",
        "https://",
        "https://me:secret@example.org/",
        "https://example.org/?token=x",
        "https://example.org:99999/",
        "https://[::1/",
        "https://example.org/a b",
        "models",
    ],
)
def test_mirror_is_refused_when_it_is_no_address_to_trust(card: Card, mirror: str) -> None:
    with pytest.raises(ModelError, match="not an address to fetch from; give the https"):
        fetch(card, mirror=mirror)
    assert files(card) == set()


def test_address_is_the_published_one_when_there_is_no_mirror(card: Card) -> None:
    assert address.address_of(card) == "https://models.invalid/folder/published.onnx"
    mirrored = address.address_of(card, mirror="https://example.org/x/")
    assert mirrored == "https://example.org/x/published.onnx"


def test_proxy_is_left_out_when_the_server_is_this_machine(
    card: Card, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1/")
    monkeypatch.delenv("no_proxy", raising=False)
    get(card, server)
    assert card.read_model() == CONTENT


def test_fetch_is_refused_when_another_one_is_under_way(card: Card, server: Server) -> None:
    with part.Part(card), pytest.raises(StorageError, match="another fetch of this model"):
        get(card, server)
    get(card, server)
    assert card.read_model() == CONTENT


def test_fetch_is_refused_when_the_model_comes_with_us(tmp_path: Path) -> None:
    card = load_card(write_card(tmp_path, CONTENT, shipped=True))
    with pytest.raises(ModelError, match="comes with Moodride"):
        fetch(card)


def test_no_link_is_followed_when_it_has_the_part_files_name(card: Card, server: Server) -> None:
    victim = card.source.parent.parent / "victim"
    victim.write_text("mine")
    card.model_path.with_name("published.onnx.part").symlink_to(victim)
    with pytest.raises(StorageError, match="cannot be written"):
        get(card, server)
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("name", ["published.onnx.about.part", "published.onnx.sha256.part"])
def test_link_is_replaced_when_it_has_the_name_of_a_file_to_write(
    card: Card, server: Server, name: str
) -> None:
    victim = card.source.parent.parent / "victim"
    victim.write_text("mine")
    card.model_path.with_name(name).symlink_to(victim)
    get(card, server)
    assert victim.read_text() == "mine"
    assert card.read_model() == CONTENT
    assert files(card) == WHOLE


def test_record_is_made_when_the_model_was_copied_here(card: Card) -> None:
    with pytest.raises(ModelError, match="missing; moodride models fetch published"):
        part.record_copied(card)
    card.model_path.write_bytes(CONTENT)
    part.record_copied(card)
    assert files(card) == WHOLE
    card.model_path.write_bytes(CONTENT[1:])
    card.model_path.with_name("published.onnx.sha256").unlink()
    with pytest.raises(ModelError, match="git blob id"):
        part.record_copied(card)
