"""`moodride` as it is, but for the folder in which the kernel shows its power supplies.

Usage: python moodride_with_supplies.py FOLDER ARGUMENT...
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from moodride import cli
from moodride.controls import ignition

if __name__ == "__main__":
    folder = Path(sys.argv.pop(1))
    ignition.open_line = partial(ignition.open_line, supplies=folder)
    sys.exit(cli.main())
