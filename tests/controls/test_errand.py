from __future__ import annotations

import threading

from control_kit import LONG_S

from moodride.controls.errand import Errand


def test_errand_when_done_wakes_and_is_taken_once() -> None:
    woken = threading.Event()
    errand = Errand(woken.set)
    assert errand.take() is None
    assert errand.begin(lambda: b"done")
    assert woken.wait(LONG_S)
    assert errand.take() == b"done"
    assert errand.take() is None


def test_errand_when_one_is_on_its_way_refuses_another_until_it_was_taken() -> None:
    go, woken = threading.Event(), threading.Event()
    errand = Errand(woken.set)

    def slow() -> bytes:
        assert go.wait(LONG_S)
        return b"slow"

    assert errand.begin(slow)
    assert not errand.begin(lambda: b"other")
    assert errand.take() is None
    go.set()
    assert woken.wait(LONG_S)
    assert errand.take() == b"slow"
    woken.clear()
    assert errand.begin(lambda: b"other")
    assert woken.wait(LONG_S)
    assert errand.take() == b"other"
