"""For tests of the commands that show the library: a small index, and a shell."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from moodride.cli_library import library
from moodride.library.records import Claim, FileRecord, MoodSource, Tags
from moodride.library.store import Store
from moodride.types import Mood

__all__ = ["Shelves", "record"]


def record(
    path: str | bytes,
    *,
    mood: Mood | None = None,
    length_s: float | None = 240.0,
    problem: str = "",
    source: MoodSource = MoodSource.TAG,
    **tags: Any,
) -> FileRecord:
    """One file, with a word on its mood."""
    claims = () if mood is None else (Claim(source=source, mood=mood, confidence=0.8),)
    return FileRecord(
        path=path if isinstance(path, bytes) else path.encode(),
        size=1,
        mtime_ns=1,
        tags=Tags(length_s=length_s, **tags),
        problem=problem,
        claims=claims,
    )


class Shelves:
    """An index in a folder, and the commands that look at it."""

    def __init__(self, folder: Path) -> None:
        self.index = folder / "state" / "library.sqlite"
        self.music = folder / "music"
        self.music.mkdir()
        self.config = folder / "moodride.toml"
        self.config.write_text(f"[library]\nindex = {json.dumps(str(self.index))}\n")

    def add(
        self, records: Iterable[FileRecord], *, folder: Path | None = None, label: str = ""
    ) -> None:
        """Have files scanned."""
        with Store(self.index) as store:
            source = store.source(folder or self.music, label=label)
            scan = store.begin_scan(source)
            store.put(source, scan, records)
            store.end_scan(source, scan, complete=True)
            store.publish()

    def run(self, *arguments: str | Path, columns: int = 80) -> Result:
        """Call `moodride library`; errors of ours come out as they are."""
        words = [str(word) for word in arguments]
        runner = CliRunner(env={"COLUMNS": str(columns)})
        result = runner.invoke(library, words, obj=((self.config,), False))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def said(self, *arguments: str | Path, columns: int = 80) -> str:
        """What a command prints that goes well."""
        result = self.run(*arguments, columns=columns)
        assert result.exit_code == 0, result.output
        return result.output

    def data(self, *arguments: str | Path) -> Any:
        """The same as data."""
        return json.loads(self.said(*arguments, "--json"))
