from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from moodride.choice.table import Table

keys = st.integers(0, 2**64 - 1)


def rank(value: float) -> float:
    return value


@given(st.lists(st.tuples(keys | st.integers(0, 3), st.floats(0, 1))))
def test_table_holds_what_a_dictionary_would_when_it_is_large_enough(
    entries: list[tuple[int, float]],
) -> None:
    table: Table[float] = Table()
    for key, value in entries:
        table = table.with_(key, value, most=10**6, rank=rank)
    expected = dict(entries)
    assert dict(table) == expected
    assert len(table) == len(expected)
    assert Table.of(entries, most=10**6, rank=rank) == table
    assert all(table.get(key) == value for key, value in expected.items())
    assert table.get(2**63 + 12345) is expected.get(2**63 + 12345)


def test_older_table_stays_as_it_was_when_a_newer_one_is_made() -> None:
    old = Table.of([(1, 1.0), (257, 2.0)], most=1000, rank=rank)
    new = old.with_(257, 3.0, most=1000, rank=rank)
    assert (old.get(257), new.get(257)) == (2.0, 3.0)
    assert new.parts[0] is old.parts[0], "what did not change is shared"


def test_lowest_goes_when_a_part_is_full() -> None:
    most = 4 * 256
    entries = [(256 * n, float(n)) for n in (3, 1, 4, 2)]
    table = Table.of(entries, most=most, rank=rank)
    assert dict(table.with_(256 * 9, 9.0, most=most, rank=rank)) == {
        768: 3.0,
        1024: 4.0,
        512: 2.0,
        2304: 9.0,
    }
    assert dict(table.with_(768, 0.5, most=most, rank=rank)) == {**dict(table), 768: 0.5}
    whole = Table.of([*entries, (256 * 9, 9.0)], most=most, rank=rank)
    assert {key // 256 for key, _ in whole} == {2, 3, 4, 9}
    assert len(table.with_(1, 0.0, most=most, rank=rank)) == 5, "another part has room"
