"""The lines of strace, taken apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

CALLS = (
    "openat,open,creat,write,pwrite64,writev,pwritev,pwritev2,ftruncate,truncate,fallocate,"
    "rename,renameat,renameat2,unlink,unlinkat,link,linkat,symlink,symlinkat,mkdir,mkdirat,rmdir,"
    "fsync,fdatasync,sync_file_range,sync,syncfs,close,dup,dup2,dup3,fcntl,lseek,mmap,"
    "copy_file_range,sendfile,splice,io_uring_setup"
)
LONGEST = 1 << 22
"""Bytes of one write that strace shows."""

LINE = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(?: resumed>|\()(.*)$")
DONE = re.compile(r"^(.*)\) += (-?\d+|0x[0-9a-f]+|\?)(?:<([^>]*)>)?.*$")
FD = re.compile(r"^(-?\d+|AT_FDCWD)(?:<([^>]*)>)?$")
_PARTS = re.compile(r'iov_base="([^"]*)"')


class UnreadableError(Exception):
    """The program did something this recorder does not know how to follow."""


@dataclass(slots=True)
class Call:
    name: str
    args: list[str]
    result: int
    path: str

    def descriptor(self, index: int = 0) -> int:
        found = FD.match(self.args[index])
        return int(found[1]) if found and found[1] != "AT_FDCWD" else -1


def text_of(shown: str) -> str:
    return bytes.fromhex(shown.replace("\\x", "")).decode() if "\\x" in shown else shown


def paths_in(args: Sequence[str]) -> Iterator[str]:
    for arg in args:
        yield from (match[1] or match[2] for match in re.finditer(r'<([^>]*)>|"([^"]*)"', arg))


def data_of(call: Call) -> bytes:
    """The bytes of a write, as many as were taken."""
    shown = _PARTS.findall(", ".join(call.args)) if "v" in call.name else [call.args[1].strip('"')]
    data = b"".join(bytes.fromhex(part.replace("\\x", "")) for part in shown)
    if len(data) < call.result:
        raise UnreadableError(f"strace cut off a write of {call.result} bytes")
    return data[: call.result]


def after_parts(call: Call) -> str:
    """The offset of a pwritev: what follows the list of parts and their count."""
    rest = ", ".join(call.args).rpartition("], ")[2].split(", ")
    return rest[1]
