"""Which addresses a model may come from, and how one is opened.

Only https, at every step of the way: what a plain http server says can be changed by
anyone between. The content is checked anyway; this keeps others from seeing what is
fetched, and from feeding us anything by the megabyte. Plain http is allowed for this very
machine, where nobody is between (a mirror on loopback, and the tests).
"""

from __future__ import annotations

import ipaddress
import urllib.request
from typing import IO, TYPE_CHECKING, Final
from urllib.parse import urlsplit

from moodride import __version__
from moodride.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.client import HTTPMessage, HTTPResponse

    from moodride.vision.card import Card

__all__ = ["address_of", "open_address"]

TIMEOUT_S: Final = 20.0
"""A server that says nothing for so long is taken for dead."""

_AGENT: Final = f"moodride/{__version__}"


def address_of(card: Card, *, mirror: str | None = None) -> str:
    """Return where a model is fetched from: where it is published, or a mirror's folder.

    Raises:
        ModelError: the card names no address, or the address is not one to trust.
    """
    if card.file.url is None:
        what = "comes with Moodride, there is nothing to fetch"
        raise ModelError(what, where=card.name, remedy="install the release again")
    if not mirror:
        return card.file.url
    address = f"{mirror.rstrip('/')}/{card.file.path}"
    try:
        parts = urlsplit(address)
        good = _is_trusted(address) and parts.username is None and parts.port != 0
        good = good and not (parts.query or parts.fragment)
    except ValueError:
        good = False
    if not good or not address.isascii() or not address.isprintable() or " " in address:
        remedy = "give the https address of a folder, without user name and question mark"
        raise ModelError("not an address to fetch from", where=mirror, remedy=remedy)
    return address


def open_address(address: str, headers: Mapping[str, str]) -> HTTPResponse:
    """Send one GET request, following redirects; proxies are taken from the environment.

    Raises:
        ModelError: it redirects to an address that is not https.
        OSError: no answer, or a status of 300 and more (`urllib.error.HTTPError`).
        http.client.HTTPException: the answer is no HTTP.
    """
    opener = urllib.request.OpenerDirector()
    proxies: dict[str, str] | None = {} if _is_here(urlsplit(address).hostname) else None
    # Not build_opener: that one also opens ftp: and file:.
    for handler in (
        urllib.request.ProxyHandler(proxies),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    given = {"User-Agent": _AGENT, "Accept-Encoding": "identity", **headers}
    request = urllib.request.Request(address, headers=given)  # noqa: S310 - only https, see above
    response: HTTPResponse = opener.open(request, timeout=TIMEOUT_S)
    return response


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows only to https."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """Refuse an address that is not https."""
        if urlsplit(newurl).scheme != "https":
            what = f"redirects to {newurl}, which is not https"
            remedy = "use another network or mirror; this one changes what it passes on"
            raise ModelError(what, where=req.full_url, remedy=remedy)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_trusted(address: str) -> bool:
    parts = urlsplit(address)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and _is_here(parts.hostname)


def _is_here(host: str | None) -> bool:
    """Whether a host is this machine itself."""
    if host is None:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
