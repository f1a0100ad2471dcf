"""For tests of the command line: what a person reads when something is wrong."""

from __future__ import annotations

import subprocess

__all__ = ["complaint"]


def complaint(result: subprocess.CompletedProcess[str]) -> str:
    """The one line of an error."""
    assert "Traceback" not in result.stderr
    lines = [x for x in result.stderr.splitlines() if x.startswith("moodride: ")]
    assert len(lines) == 1, result.stderr
    return lines[0]
