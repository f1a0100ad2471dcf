"""`moodride models` as a person meets it: real processes, a real server, real interruptions."""

from __future__ import annotations

import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from commands_kit import complaint
from models_kit import EIGHT, Answer, Server, serving, tiny_network, write_card

from moodride.config import project_root
from moodride.types import EMOTIONS, Emotion
from moodride.vision.card import load_card
from moodride.vision.emotions import EmotionReader

PADDING = random.Random(3).normalvariate
WEIGHTS = [[PADDING(0, 0.01) for _ in range(9)] for _ in range(3)]
NETWORK = tiny_network(WEIGHTS)
BIG = random.Random(4).randbytes(400_000)
SEVEN = [one for one in EIGHT if one != "contempt"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder like Moodride's own, with one published model: seven emotions and two heads."""
    heads = "outputs = { valence_arousal_at = [7, 8] }"
    write_card(tmp_path / "models" / "theirs", NETWORK, labels=SEVEN, emotions=heads)
    return tmp_path


@pytest.fixture
def big(root: Path) -> Path:
    """The folder of a published model that takes several reads to fetch."""
    return write_card(root / "models" / "big", BIG, name="big").parent


@pytest.fixture
def server() -> Iterator[Server]:
    with serving(NETWORK) as one:
        yield one


def environment(root: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "MOODRIDE_ROOT": str(root), "OMP_NUM_THREADS": "1", **more}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "moodride.cli", "models", *arguments]


def models(root: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env=environment(root, **more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def started(root: Path, server: Server, part: Path, size: int) -> subprocess.Popen[str]:
    """A fetch that has got so many bytes, and waits for the next one."""
    server.content = BIG
    server.script = [Answer(stall=size)]
    process = subprocess.Popen(
        command("fetch", "big", "--mirror", server.url),
        env=environment(root),
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 120
    while not part.exists() or part.stat().st_size < size:
        assert time.monotonic() < end
        assert process.poll() is None
        time.sleep(0.05)
    return process


def test_published_model_is_fetched_verified_and_read_when_its_card_plugs_it_in(
    root: Path, server: Server
) -> None:
    fetched = models(root, "fetch", "published", MOODRIDE_MODELS_MIRROR=server.url)
    assert fetched.returncode == 0, fetched.stderr
    card = root / "models" / "theirs" / "published.toml"
    # From the root: an upgrade moves that, and the owner's configuration stays.
    assert 'vision.emotion_card = "models/theirs/published.toml"' in fetched.stdout
    assert "fetched, nothing to do" in models(root, "fetch", "published").stdout
    verified = models(root, "verify")
    assert (verified.returncode, verified.stdout.split()) == (0, ["good", "published", "fetched"])
    face = np.zeros((16, 16, 3), np.uint8)
    face[:] = (30, 60, 90)
    distribution, valence, arousal = EmotionReader.load(card).read_aligned(face)
    answer = np.array([90, 60, 30]) @ np.array(WEIGHTS)
    assert (valence, arousal) == pytest.approx(answer[7:].clip(-1, 1), abs=1e-4)
    shares = np.exp(answer[:7]) / np.exp(answer[:7]).sum()
    read = dict(zip(map(str, EMOTIONS), distribution, strict=True))
    assert [read[one] for one in SEVEN] == pytest.approx(shares.tolist(), abs=1e-4)
    assert read[Emotion.CONTEMPT] == 0.0


def test_list_says_what_there_is_for_people_and_for_programs(root: Path) -> None:
    write_card(root / "models" / "ours", NETWORK, name="ours", shipped=True)
    text = models(root, "list")
    assert text.returncode == 0
    rows = {line.split()[0]: line for line in text.stdout.splitlines() if "emotions" in line}
    assert "not fetched" in rows["published"]
    assert "16x16 rgb" in rows["published"]
    assert "damaged" in rows["ours"]
    assert "ours.onnx: missing; install the model again" in text.stdout
    listed = json.loads(models(root, "list", "--json").stdout)
    facts = {one["name"]: one for one in listed}
    assert facts["published"]["state"] == "not fetched"
    assert facts["published"]["classes"] == 7
    assert facts["published"]["licence"] == "Apache-2.0 (code)"
    assert facts["ours"]["bytes"] == len(NETWORK)
    assert "missing" in facts["ours"]["problem"]


def test_verify_fails_when_a_file_or_a_card_is_damaged(root: Path) -> None:
    folder = root / "models" / "theirs"
    assert models(root, "verify").returncode == 0, "a model that nobody fetched is no damage"
    (folder / "published.onnx").write_bytes(NETWORK[:-1])
    damaged = models(root, "verify", "published")
    assert damaged.returncode == 65
    assert damaged.stdout.startswith("WRONG published")
    assert "git blob id" in damaged.stdout
    (folder / "published.onnx").unlink()
    (folder / "broken.toml").write_text("schema = 1")
    broken = models(root, "verify", "--json")
    assert broken.returncode == 65
    assert [one["state"] for one in json.loads(broken.stdout)] == ["damaged", "not fetched"]


def test_verify_fails_when_the_network_is_not_what_its_card_says(
    root: Path, server: Server
) -> None:
    write_card(root / "models" / "theirs", NETWORK, labels=EIGHT)  # nine numbers for eight labels
    assert models(root, "fetch", "theirs", "--mirror", server.url).returncode == 0
    result = models(root, "verify")
    assert result.returncode == 65
    assert "its 9 logits are not 8 finite numbers" in result.stdout


def test_verify_fails_when_a_detector_does_not_answer_as_its_card_says(root: Path) -> None:
    ours = project_root() / "models" / "retinaface"
    folder = root / "models" / "faces"
    folder.mkdir()
    card = (ours / "card-track.toml").read_text()
    assert "[98, 166]" in card
    (folder / "card.toml").write_text(card.replace("[98, 166]", "[98, 120, 166]"))
    shutil.copy(ours / load_card(ours / "card-track.toml").file.path, folder)
    result = models(root, "verify", "faces")
    assert result.returncode == 65
    assert "where the card's priors need" in result.stdout
    assert "retinaface" in result.stdout
    (folder / "card.toml").write_text(card)
    assert models(root, "verify", "faces").returncode == 0


def test_list_shows_brackets_of_a_card_as_they_are(root: Path) -> None:
    card = root / "models" / "theirs" / "published.toml"
    text = card.read_text().replace('name = "published"', 'name = "a[b]c"')
    card.write_text(text.replace("Apache-2.0 (code)", "own [/terms]"))
    result = models(root, "list")
    assert result.returncode == 0, result.stderr
    assert "a[b]c" in result.stdout
    assert "own [/terms]" in result.stdout


def test_fetch_names_the_known_models_when_there_is_no_such_one(root: Path) -> None:
    result = models(root, "fetch", "publishd")
    assert result.returncode == 65
    assert "publishd: no such model; did you mean published?" in complaint(result)
    assert models(root, "fetch").returncode == 2


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (Answer(body=b"<html>"), 65, "a web page of 6 bytes came instead"),
        (Answer(status=404, body=b""), 65, "published.onnx: answers 404"),
    ],
)
def test_fetch_says_why_in_one_line_when_it_fails(
    root: Path, server: Server, answer: Answer, status: int, says: str
) -> None:
    server.usual = answer
    result = models(root, "fetch", "published", "--mirror", server.url)
    assert result.returncode == status
    assert says in complaint(result)
    assert sorted(p.name for p in (root / "models" / "theirs").iterdir()) == ["published.toml"]


def test_fetch_goes_on_when_its_process_was_killed(root: Path, big: Path, server: Server) -> None:
    part = big / "big.onnx.part"
    process = started(root, server, part, 150_000)
    process.kill()
    process.wait()
    assert not (big / "big.onnx").exists()
    assert part.read_bytes() == BIG[:150_000]
    assert [one["state"] for one in json.loads(models(root, "list", "--json").stdout)] == [
        "not fetched",
        "not fetched",
    ]
    again = models(root, "fetch", "big", "--mirror", server.url)
    assert again.returncode == 0, again.stderr
    assert server.asked[-1]["Range"] == "bytes=150000-"
    assert (big / "big.onnx").read_bytes() == BIG
    assert not part.exists()


def test_fetch_says_that_it_can_go_on_when_interrupted(
    root: Path, big: Path, server: Server
) -> None:
    process = started(root, server, big / "big.onnx.part", 150_000)
    process.send_signal(signal.SIGINT)
    error = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert "moodride: big: interrupted, 0.1 MB are kept; the same command goes on there" in error
    assert "Traceback" not in error
    assert (big / "big.onnx.part").stat().st_size == 150_000


def test_fetch_says_so_when_files_may_not_be_so_large(
    root: Path, big: Path, server: Server
) -> None:
    server.content = BIG
    result = subprocess.run(
        command("fetch", "big", "--mirror", server.url),
        env=environment(root, PYTHONDONTWRITEBYTECODE="1"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 74
    assert f"{big / 'big.onnx'}: cannot be written: file too large" in complaint(result)
    assert not (big / "big.onnx").exists()


def _fails(probe: list[str]) -> bool:
    return subprocess.run(probe, capture_output=True, check=False).returncode != 0


def on_disk(root: Path, folder: Path, setup: str, server: Server) -> str:
    """Fetch where the folder is a disk of its own; the complaint."""
    unshare = ["unshare", "--user", "--map-root-user", "--mount"]
    probe = [*unshare, "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
    if not shutil.which("unshare") or _fails(probe):
        pytest.skip("no mount namespaces here: no disk that can be full or read-only")
    server.content = BIG
    card = (folder / "big.toml").read_text()
    shell = (
        f"mount -t tmpfs -o size=200k tmpfs '{folder}' && printf '%s' \"$CARD\" > "
        f"'{folder}/big.toml' && {setup} && \"$@\"; status=$?; ls '{folder}'; exit $status"
    )
    result = subprocess.run(
        [*unshare, "sh", "-c", shell, "sh", *command("fetch", "big", "--mirror", server.url)],
        env=environment(root, CARD=card),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 74, result.stderr
    assert result.stdout.split() == ["big.toml"], "nothing is left on a disk that was full"
    return complaint(result)


def test_fetch_says_so_when_the_disk_has_no_room(root: Path, big: Path, server: Server) -> None:
    line = on_disk(root, big, "true", server)
    assert f"{big / 'big.onnx'}: needs {len(BIG)} bytes, " in line
    assert "free some space" in line


def test_fetch_says_so_when_the_disk_is_read_only(root: Path, big: Path, server: Server) -> None:
    line = on_disk(root, big, f"mount -o remount,ro '{big}'", server)
    assert "cannot be written: read-only file system; mount this disk read-write" in line
    assert server.asked == [], "nothing is fetched that cannot be kept"


def test_fetch_says_sudo_when_the_folder_is_someone_elses(
    root: Path, big: Path, server: Server
) -> None:
    # Root may write everywhere, unless it gives up that right for good.
    humble = ["setpriv", "--bounding-set", "-dac_override"] if os.getuid() == 0 else []
    if humble and not shutil.which("setpriv"):
        pytest.skip("root may write everywhere")
    big.chmod(0o555)
    result = subprocess.run(
        [*humble, *command("fetch", "big", "--mirror", server.url)],
        env=environment(root),
        capture_output=True,
        text=True,
        check=False,
    )
    big.chmod(0o755)
    assert result.returncode == 74
    line = complaint(result)
    assert f"{big / 'big.onnx'}: cannot be written: permission denied" in line
    assert "sudo moodride models fetch" in line
    assert server.asked == []


def test_nothing_heavy_is_loaded_when_models_are_fetched(root: Path) -> None:
    code = (
        "import sys, moodride.cli, moodride.commands.models;"
        "print([m for m in ('cv2', 'onnxruntime', 'numpy', 'pandas', 'mpv') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("service", ["run", "watch"])
def test_nothing_that_fetches_is_loaded_when_a_service_starts(service: str) -> None:
    code = (
        f"import sys, moodride.cli, moodride.commands.{service};"
        "print([m for m in sys.modules if m in ('urllib.request', 'http.client', 'ssl')"
        " or m.startswith('moodride.models')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
