from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from power_disk import FLASH_PAGE, SECTOR, Disk, Rule
from power_ops import (
    ROOT,
    Image,
    MakeFolder,
    Names,
    Op,
    Resize,
    Sync,
    SyncAll,
    Write,
)

OLD, NEW = b"o" * SECTOR, b"n" * SECTOR
BOTH = pytest.mark.parametrize("rule", Rule)


def made(*ops: Op, there: Image | None = None, rule: Rule = Rule.STRICT) -> Disk:
    disk = Disk({"a": OLD * 3} if there is None else there, rule)
    for op in ops:
        disk.apply(op)
    return disk


def outcomes(disk: Disk, *, tries: int = 300) -> set[tuple[tuple[str, bytes], ...]]:
    """What may be left, as far as it is met by chance."""
    return {tuple(sorted(disk.some(Random(seed)).items())) for seed in range(tries)}


@BOTH
def test_sectors_when_not_synced_are_old_or_new_in_any_combination(rule: Rule) -> None:
    disk = made(Write(1, 0, NEW * 3), rule=rule)
    contents = {dict(image)["a"] for image in outcomes(disk)}
    assert contents == {x + y + z for x in (OLD, NEW) for y in (OLD, NEW) for z in (OLD, NEW)}


def test_sector_when_written_twice_has_either_content_and_never_the_second_without_the_first() -> (
    None
):
    disk = made(Write(1, 0, b"1"), Write(1, 1, b"2"))
    heads = {dict(image)["a"][:2] for image in outcomes(disk)}
    assert heads == {b"oo", b"1o", b"12"}


@BOTH
def test_all_of_a_file_when_synced_is_safe(rule: Rule) -> None:
    disk = made(Write(1, 100, NEW * 4), Sync(1), rule=rule)
    assert not disk.waits
    assert disk.safe() == disk.seen() == {"a": OLD[:100] + NEW * 4}
    assert len(outcomes(disk)) == 1


def test_size_when_not_synced_may_come_without_its_data_on_a_strict_disk_only() -> None:
    ops = (Write(1, 3 * SECTOR, NEW),)
    lengths = {len(dict(image)["a"]) for image in outcomes(made(*ops))}
    assert lengths == {3 * SECTOR, 4 * SECTOR}
    tails = {dict(image)["a"][3 * SECTOR :] for image in outcomes(made(*ops))}
    assert bytes(SECTOR) in tails, "zeros"
    assert any(tail not in {b"", NEW, bytes(SECTOR)} for tail in tails), "what lay there before"
    ordered = {dict(image)["a"][3 * SECTOR :] for image in outcomes(made(*ops, rule=Rule.ORDERED))}
    assert ordered == {b"", NEW}


def test_new_file_when_only_its_content_is_synced_may_have_no_name_on_a_strict_disk() -> None:
    ops = (Names(ROOT, (("b", 9),)), Write(9, 0, NEW), Sync(9))
    assert made(*ops).safe() == {"a": OLD * 3}
    assert made(*ops, rule=Rule.ORDERED).safe() == {"a": OLD * 3, "b": NEW}
    assert made(*ops, Sync(ROOT)).safe() == {"a": OLD * 3, "b": NEW}


def test_rename_when_not_synced_is_done_or_not_and_may_outrun_the_content() -> None:
    ops = (
        Names(ROOT, (("b", 9),)),
        Write(9, 0, NEW),
        Names(ROOT, (("b", None), ("a", 9))),
    )
    found = {dict(image).get("a") for image in outcomes(made(*ops))}
    assert {OLD * 3, NEW, b""} <= found, "also a name without what was written"
    assert None not in found, "the old name never points nowhere"


def test_names_when_not_synced_survive_in_their_order_where_the_file_system_keeps_it() -> None:
    ops = [Names(ROOT, ((name, 9 + n),)) for n, name in enumerate("bcd")]
    ordered = {"".join(dict(i)) for i in outcomes(made(*ops, rule=Rule.ORDERED))}
    assert ordered == {"a", "ab", "abc", "abcd"}
    strict = {"".join(dict(i)) for i in outcomes(made(*ops))}
    assert {"ac", "abd", "acd"} <= strict


@BOTH
def test_file_when_cut_off_may_still_be_whole_and_never_shows_what_was_cut_off_again(
    rule: Rule,
) -> None:
    disk = made(Resize(1, SECTOR), Resize(1, 3 * SECTOR), rule=rule)
    assert disk.seen() == {"a": OLD + bytes(2 * SECTOR)}
    lengths = {len(dict(image)["a"]) for image in outcomes(disk)}
    assert lengths == {SECTOR, 3 * SECTOR}
    disk.apply(Sync(1))
    assert disk.safe() == {"a": OLD + bytes(2 * SECTOR)}


def test_folder_when_its_own_name_is_not_synced_takes_its_files_with_it() -> None:
    ops = (MakeFolder(8), Names(ROOT, (("f", 8),)), Names(8, (("b", 9),)), Write(9, 0, NEW))
    disk = made(*ops, Sync(9), Sync(8))
    assert disk.safe() == {"a": OLD * 3}
    disk.apply(Sync(ROOT))
    assert disk.safe() == {"a": OLD * 3, "f/b": NEW}


def test_write_when_torn_holds_its_first_sectors_only() -> None:
    disk, write = made(), Write(1, SECTOR // 2, NEW * 2)
    cuts = disk.sectors(write)
    assert list(cuts) == [SECTOR, 2 * SECTOR]
    half = OLD[: SECTOR // 2] + NEW[: SECTOR // 2]
    assert [disk.torn(write, cut)["a"] for cut in cuts] == [half + OLD * 2, half + NEW + OLD]


def test_sector_when_programming_was_interrupted_is_garbage_and_so_may_its_page_be() -> None:
    size = 3 * FLASH_PAGE
    disk = made(Write(1, FLASH_PAGE, NEW), there={"a": bytes(size), "b": OLD})
    alone = disk.interrupted(Random(1), neighbours=False)
    page = disk.interrupted(Random(1), neighbours=True)
    assert alone is not None
    assert page is not None
    for image, spoilt in ((alone, SECTOR), (page, FLASH_PAGE)):
        assert image["b"] == OLD
        assert image["a"][:FLASH_PAGE] == bytes(FLASH_PAGE)
        assert image["a"][FLASH_PAGE + spoilt :] == bytes(size - FLASH_PAGE - spoilt)
        assert image["a"][FLASH_PAGE:][:SECTOR] not in {NEW, bytes(SECTOR)}
    assert made().interrupted(Random(1), neighbours=True) is None, "nothing was being written"


WRITES = st.builds(Write, st.integers(1, 3), st.integers(0, 1500), st.binary(max_size=1200))
SIZES = st.builds(Resize, st.integers(1, 3), st.integers(0, 2500))
SYNCS = st.builds(Sync, st.integers(0, 3))
RENAMES = st.builds(
    lambda old, new, node: Names(ROOT, ((old, None), (new, node))),
    *(st.sampled_from("abc"), st.sampled_from("abc"), st.integers(1, 3)),
)
OPS = st.lists(st.one_of(WRITES, SIZES, SYNCS, RENAMES), max_size=12)


@settings(max_examples=150, deadline=None)
@given(OPS, st.sampled_from(Rule), st.integers(0, 99))
def test_what_is_left_is_made_of_sectors_that_once_were(
    ops: list[Op], rule: Rule, seed: int
) -> None:
    there = {"a": b"a" * 700, "b": b"", "c": b"c" * 512}
    disk = made(there=there, rule=rule)
    ever: set[bytes] = {bytes(SECTOR)} | {s for data in there.values() for s in _sectors(data)}
    for op in ops:
        disk.apply(op)
        ever |= {s for data in disk.seen().values() for s in _sectors(data)}
        ever |= {s for data in _files(disk) for s in _sectors(data)}
    heads = tuple(ever)
    for data in disk.some(Random(seed * 4 + 1)).values():
        for sector in _sectors(data):
            known = any(_same(sector, each) for each in heads)
            assert known or rule is Rule.STRICT, "a sector of no time"
    disk.apply(SyncAll())
    assert disk.safe() == disk.seen() == disk.some(Random(seed))


def _sectors(data: bytes) -> list[bytes]:
    return [data[at : at + SECTOR].ljust(SECTOR, b"\0") for at in range(0, len(data), SECTOR)]


def _files(disk: Disk) -> list[bytes]:
    """Also those that have lost their names."""
    return [bytes(node.seen) for node in disk._nodes.values() if hasattr(node, "sizes")]


def _same(sector: bytes, once: bytes) -> bool:
    """The end of a file is where its size says, wherever its data ended."""
    end = len(sector.rstrip(b"\0"))
    return sector[:end] == once[:end]
