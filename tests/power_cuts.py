"""Every instant of a recorded run at which the power may go, and what the disk may hold then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from power_disk import Disk, Rule
from power_judge import Truths
from power_ops import Image, Mark, Op, Write
from power_start import Found, Starter
from power_trace import Recording

KINDS = {
    "prefix": "all that was asked for, up to this call",
    "torn": "the same, and the first sectors of the next write",
    "synced": "nothing but what was synced",
    "subset": "what was synced and any of the rest, names and sizes too",
    "ordered": "what ext4 allows: any sectors, names in their order",
    "sector": "a subset, and a sector that was being programmed is garbage",
    "page": "the same with all of its flash page, synced or not",
}
FLASH = ("sector", "page")
"""Kinds in which the disk itself breaks its word: a generation may be lost, or a database."""

FLASH_SHARE = 0.1
"""Of the subsets, so many come with such a one of each kind."""

TORN_MOST = 8
"""So many sectors of a long write are the last one that was written."""


@dataclass(frozen=True, slots=True)
class Cut:
    """The power goes: after how many operations, in what way, and what is on the disk."""

    at: int
    kind: str
    image: Image


@dataclass(slots=True)
class Tally:
    """What all cuts came to.

    Attributes:
        acknowledged: how often each store said that something is kept.
        cuts: by kind.
        states: different disks among them.
        worst_s: the oldest resume point, by kind.
        lost: the most events of each store that were acknowledged and are gone, by kind.
        aside: starts that put something aside as damaged, by kind.
        wrong: what must not be.
        known: what was found on each of the disks.
    """

    acknowledged: Counter[str] = field(default_factory=Counter)
    cuts: Counter[str] = field(default_factory=Counter)
    states: Counter[str] = field(default_factory=Counter)
    worst_s: dict[str, float] = field(default_factory=dict)
    lost: dict[str, Counter[str]] = field(default_factory=dict)
    aside: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    known: dict[int, Found | str] = field(default_factory=dict, repr=False)

    def lines(self) -> Iterator[str]:
        """A table."""
        yield f"{'power cuts':10} {'cuts':>7} {'disks':>6} {'oldest':>7} {'aside':>5}  lost"
        for kind in KINDS:
            if self.cuts[kind]:
                most = {k: n for k, n in self.lost.get(kind, {}).items() if n}
                lost = ", ".join(f"{n} of {store}" for store, n in most.items()) or "nothing"
                yield (
                    f"{kind:10} {self.cuts[kind]:7} {self.states[kind]:6}"
                    f" {self.worst_s.get(kind, 0.0):5.2f} s {self.aside[kind]:5}  {lost}"
                )
        worst = max(self.worst_s.values(), default=0.0)
        yield (
            f"{'all':10} {self.cuts.total():7} {self.states.total():6} {worst:5.2f} s"
            f" {self.aside.total():5}  {len(self.wrong)} wrong"
        )


def cuts(
    recording: Recording, *, seed: int = 0, each: int = 2, kinds: Collection[str] = tuple(KINDS)
) -> Iterator[Cut]:
    """Yield the cuts of a recording, in order.

    Args:
        recording: of a run.
        seed: of what survives by chance.
        each: so many subsets of each kind after each operation.
        kinds: only these.
    """
    for cut in _all_cuts(recording, Random(seed), each):
        if cut.kind in kinds:
            yield cut


def _all_cuts(recording: Recording, chance: Random, each: int) -> Iterator[Cut]:
    strict, ordered = (Disk(recording.there, rule) for rule in (Rule.STRICT, Rule.ORDERED))
    yield Cut(-1, "prefix", strict.seen())
    seen, safe = strict.seen(), strict.safe()
    for at, op in enumerate(recording.ops):
        if isinstance(op, Mark):
            # Time passed, or something was promised, and the disk is as it was.
            yield Cut(at, "prefix", seen)
            yield Cut(at, "synced", safe)
            continue
        if isinstance(op, Write):
            yield from (Cut(at - 1, "torn", image) for image in _torn(strict, op, chance))
        strict.apply(op)
        ordered.apply(op)
        seen, safe = strict.seen(), strict.safe()
        yield Cut(at, "prefix", seen)
        yield Cut(at, "synced", safe)
        if strict.waits:
            share = 1.0 if _is_point(op) else FLASH_SHARE
            yield from _by_chance(at, strict, ordered, chance, each, share)


def _torn(disk: Disk, write: Write, chance: Random) -> Iterator[Image]:
    sectors = disk.sectors(write)
    chosen = sectors if len(sectors) <= TORN_MOST else sorted(chance.sample(sectors, TORN_MOST))
    return (disk.torn(write, cut) for cut in chosen)


def _is_point(op: Op) -> bool:
    """Whether a generation of the resume point is written over an old one."""
    return isinstance(op, Write) and op.data.startswith(b'{"crc32"')


def _by_chance(
    at: int, strict: Disk, ordered: Disk, chance: Random, each: int, share: float
) -> Iterator[Cut]:
    for _ in range(each):
        yield Cut(at, "subset", strict.some(chance))
        yield Cut(at, "ordered", ordered.some(chance))
        for kind in FLASH if chance.random() < share else ():
            image = strict.interrupted(chance, neighbours=kind == "page")
            if image is not None:
                yield Cut(at, kind, image)


def prove(
    recording: Recording,
    folder: Path,
    *,
    seed: int = 0,
    each: int = 2,
    kinds: Collection[str] = tuple(KINDS),
    wrong_most: int = 20,
    tally: Tally | None = None,
    catalogue: Path | None = None,
) -> Tally:
    """Start the service after each cut and judge what it finds.

    Args:
        recording: of a drive.
        folder: for the disks; one in memory is much faster.
        seed: of what survives by chance.
        each: so many subsets of each kind after each operation.
        kinds: only these.
        wrong_most: stop when so much was wrong.
        tally: is added to and returned.
        catalogue: of the drive, where it had no index.
    """
    tally, begin = tally or Tally(), Starter(folder, catalogue)
    truths = Truths(recording, begin(recording.there), folder)
    tally.acknowledged |= truths.acknowledged
    last: tuple[Image, Found | str] | None = None
    for cut in cuts(recording, seed=seed, each=each, kinds=kinds):
        if last is None or cut.image is not last[0]:
            digest = _digest(cut.image)
            if digest not in tally.known:
                tally.states[cut.kind] += 1
                tally.known[digest] = _begun(begin, cut.image)
            last = cut.image, tally.known[digest]
        _judge(cut, last[1], truths, tally)
        if len(tally.wrong) >= wrong_most:
            break
    return tally


def _begun(begin: Starter, image: Image) -> Found | str:
    try:
        return begin(image)
    except Exception as error:  # noqa: BLE001 - whatever it is, the music does not play
        return f"{type(error).__name__}: {error}"


def _judge(cut: Cut, found: Found | str, truths: Truths, tally: Tally) -> None:
    kind = cut.kind
    tally.cuts[kind] += 1
    if isinstance(found, str):
        tally.wrong.append(f"{kind} after {cut.at}: {found}")
        return
    flash = kind in FLASH
    verdict = truths.judge(cut.at, found, flash=flash)
    wrong = list(verdict.wrong)
    if not flash:
        wrong += [f"put aside: {name}" for name in found.aside]
        wrong += [f"said: {line}" for line in found.warnings if not found.aside]
    tally.wrong += (f"{kind} after {cut.at}: {line}" for line in wrong)
    tally.aside[kind] += bool(found.aside)
    tally.worst_s[kind] = max(tally.worst_s.get(kind, 0.0), verdict.age_s)
    most = tally.lost.setdefault(kind, Counter())
    for store, count in verdict.lost.items():
        most[store] = max(most[store], count)


def _digest(image: Image) -> int:
    """What tells disks apart; bytes know their hash, and most files are as they were."""
    return hash(tuple(sorted((name, hash(data)) for name, data in image.items())))
