"""Fetch a model from where it is published: resumed, bounded, checked, whole or not at all.

The standard library's HTTP is enough here: what a client library would bring (pools,
retries) does not resume a file, and the services would carry it for one rare command.
"""

from __future__ import annotations

import http.client
import logging
import re
import ssl
import time
import urllib.error
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, NoReturn

from moodride.errors import ModelError, MoodrideError, ServiceError
from moodride.models.address import address_of, open_address
from moodride.models.part import Part, WrongContentError

if TYPE_CHECKING:
    from http.client import HTTPResponse

    from moodride.vision.card import Card

__all__ = ["Report", "fetch"]

_log = logging.getLogger(__name__)

Report = Callable[[int, int | None], None]
"""Is told how many bytes are here and how many it will be (None while unknown)."""

PAUSE_S: Final = 0.5
"""Before the second try; doubled for each further one."""

TRIES: Final = 5
"""In a row that bring no new byte."""

TRIES_IN_ALL: Final = 50
"""A server that gives a byte a time is not worth more."""

_CHUNK: Final = 1 << 16

_OTHER: Final = "try again later, or give another source with --mirror"

_LATER: Final = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_EARLY,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Statuses that may be gone a moment later."""


class _Again(Exception):  # noqa: N818 - a turn of the loop, not an error for anyone else
    """This try failed in a way that the next one may not."""


@dataclass(slots=True)
class _Tries:
    """How often it was tried, and how long to wait before it is tried again."""

    address: str
    pause_s: float
    in_a_row: int = 0
    in_all: int = 0

    def failed(self, why: _Again, *, progress: bool) -> None:
        """Wait, or give up.

        Raises:
            ServiceError: it was tried often enough.
        """
        self.in_all += 1
        self.in_a_row = 1 if progress else self.in_a_row + 1
        if self.in_a_row >= TRIES or self.in_all >= TRIES_IN_ALL:
            remedy = f"check the network and fetch again; {_OTHER}"
            raise ServiceError(str(why), where=self.address, remedy=remedy) from why
        pause_s = self.pause_s * 2 ** (self.in_a_row - 1)
        _log.info("%s: %s; trying again in %.1f s", self.address, why, pause_s)
        time.sleep(pause_s)


@dataclass(slots=True)
class _Download:
    """One model on its way."""

    card: Card
    address: str
    part: Part
    report: Report
    tries: _Tries = field(init=False)

    def run(self, pause_s: float) -> str:
        """Fetch until the content is whole and checked; returns its sha256."""
        self.tries = _Tries(self.address, pause_s)
        while True:
            self._complete()
            resumed = self.part.resumed
            try:
                return self.part.keep()
            except WrongContentError as error:
                if not resumed:
                    raise ModelError(error.what, where=self.address, remedy=_OTHER) from error
                _log.warning("%s: %s; starting anew", self.address, error)

    def _complete(self) -> None:
        """Try until all bytes are here."""
        while not self.part.is_whole:
            before = self.part.size
            try:
                self._try()
            except _Again as why:
                self.tries.failed(why, progress=self.part.size > before)

    def _try(self) -> None:
        headers = {}
        if self.part.size and self.part.total and self.part.etag:
            headers = {"Range": f"bytes={self.part.size}-", "If-Range": self.part.etag}
        try:
            with open_address(self.address, headers) as response:
                self._take(response)
        except MoodrideError:
            raise
        except urllib.error.HTTPError as error:
            self._refused(error)
        except (OSError, http.client.HTTPException) as error:
            self._unreachable(error)
        except ValueError as error:
            # What the card, a redirect or a proxy's variable gives as an address is none.
            self._refuse(f"cannot be opened, or leads to what cannot ({error})")

    def _take(self, response: HTTPResponse) -> None:
        """Write what the server sends to where it belongs."""
        if response.headers.get("Content-Encoding", "identity") != "identity":
            self._refuse("sends the file packed, though it was asked not to")
        if response.status == HTTPStatus.PARTIAL_CONTENT:
            self._go_on(response)
        elif response.status == HTTPStatus.OK:
            self._start(response)
        else:
            self._refuse(f"answers {response.status} {response.reason}")
        self.report(self.part.size, self.part.total)
        while chunk := response.read1(_CHUNK):
            if self.part.size + len(chunk) > (self.part.total or self.card.file.most):
                self.part.discard()
                self._refuse(f"sends more than {self.part.total or self.card.file.most} bytes")
            self.part.append(chunk)
            self.report(self.part.size, self.part.total)
        if self.part.total is None:
            self.part.end()
        elif not self.part.is_whole:
            message = f"broke off after {self.part.size} of {self.part.total} bytes"
            raise _Again(message)

    def _start(self, response: HTTPResponse) -> None:
        length = response.headers.get("Content-Length", "")
        total = int(length) if re.fullmatch(r"\d{1,18}", length) else None
        self._check_total(total)
        self.part.begin(etag=_strong(response.headers.get("ETag")), total=total)

    def _go_on(self, response: HTTPResponse) -> None:
        """Make sure that the rest is the rest of what is here."""
        found = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        same = found and (int(found[1]), int(found[2])) == (self.part.size, self.part.total)
        if not same or response.headers.get("ETag", self.part.etag) != self.part.etag:
            self.part.discard()
            message = "sends another part than the one asked for"
            raise _Again(message)
        self.part.resumed = True

    def _check_total(self, total: int | None) -> None:
        spec = self.card.file
        if total is not None and total > spec.most:
            self._refuse(f"offers {total} bytes, more than {spec.most}")
        if total is not None and spec.bytes not in (None, total):
            self._refuse(f"offers another file: {total} bytes, the card says {spec.bytes}")

    def _refused(self, error: urllib.error.HTTPError) -> NoReturn:
        """Turn a status of 400 and more into a further try or into one line."""
        said = f"answers {error.code} {error.reason}"
        error.close()
        if error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and self.part.size:
            self.part.discard()
            raise _Again(said) from error
        if error.code in _LATER:
            raise _Again(said) from error
        self._refuse(said)

    def _unreachable(self, error: Exception) -> NoReturn:
        reason = error.reason if isinstance(error, urllib.error.URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            what = f"is not who it says it is ({reason.verify_message})"
            remedy = "check the clock of this machine and its network"
            raise ServiceError(what, where=self.address, remedy=remedy) from error
        if isinstance(reason, TimeoutError):
            raise _Again("does not answer in time") from error
        text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
        message = f"cannot be reached ({text})"
        raise _Again(message) from error

    def _refuse(self, what: str) -> NoReturn:
        raise ModelError(what, where=self.address, remedy=_OTHER)


def fetch(
    card: Card,
    *,
    mirror: str | None = None,
    report: Report = lambda _size, _total: None,
    pause_s: float = PAUSE_S,
) -> str:
    """Fetch the model of a card, whatever lies under its name now; returns its sha256.

    A `KeyboardInterrupt` or a kill leaves a part file, from which the next fetch goes on.

    Args:
        card: has an address.
        mirror: a folder to fetch it from instead: ``MIRROR/FILE``. The check stays.
        report: is told of each step forward.
        pause_s: seconds before the second try.

    Raises:
        ModelError: the address serves something else, or is none to trust.
        ServiceError: nobody answers there.
        StorageError: the folder cannot be written.
    """
    address = address_of(card, mirror=mirror)
    with Part(card) as part:
        return _Download(card, address, part, report).run(pause_s)


def _strong(etag: str | None) -> str | None:
    """Return an entity tag that names every byte: RFC 9110, 8.8.3 and 13.1.5."""
    return etag if etag and re.fullmatch(r'"[\x21\x23-\x7e]{1,200}"', etag) else None
