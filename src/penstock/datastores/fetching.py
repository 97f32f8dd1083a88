"""Asking an address over HTTP: which addresses are asked, which redirects are followed, and how failure is told.

No credentials are ever sent. A redirect may lead from http to https and not back. Addresses under which clouds answer
with a machine's own secrets (169.254.169.254 and its like) are refused, by name before and by address after connecting.
"""

import http.client
import ipaddress
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPMessage
from typing import IO, Any
from urllib.parse import urlsplit

from penstock.datastores.url_map import shown
from penstock.errors import PenstockError

_MOST_REDIRECTS = 5
# Seconds without a byte.
_PATIENCE = 60.0
_METADATA_NAMES = frozenset({"metadata.google.internal", "metadata", "instance-data"})
_METADATA_ADDRESSES = frozenset({"100.100.100.200", "168.63.129.16", "fd00:ec2::254"})


class Unreachable(Exception):
    """Nobody answered, or the answer broke off: another time it may be there."""


@contextmanager
def opened(url: str, headers: Mapping[str, str]) -> Iterator[http.client.HTTPResponse]:
    """The answer to a GET: 200, 206, 304 or 416. Raises Unreachable, or PenstockError for every other answer."""
    refuse_forbidden(url)
    request = urllib.request.Request(  # noqa: S310 - the opener knows http and https only
        url, headers={"User-Agent": "penstock", "Accept-Encoding": "identity", **headers}
    )
    try:
        answer = _opener().open(request, timeout=_PATIENCE)
    except urllib.error.HTTPError as error:
        if error.code in (304, 416):
            with error:
                yield error  # type: ignore[misc]  # has status, headers and read, as every answer
            return
        error.close()
        if error.code in (408, 429) or error.code >= 500:
            raise Unreachable(f"the server answered {error.code} {error.reason}") from error
        raise _refused(url, error.code, error.reason) from error
    except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
        reason = getattr(error, "reason", error)
        raise Unreachable(str(reason) or type(reason).__name__) from error
    with answer:
        if answer.status not in (200, 206):  # 204 and its like: an answer, and no file
            raise _refused(url, answer.status, answer.reason)
        yield answer


def _refused(url: str, status: int, reason: object) -> PenstockError:
    # The reason of a redirect that is not followed goes on over several lines.
    said = f"the server answered {status} {str(reason).strip().partition(chr(10))[0]}".rstrip()
    return PenstockError(f"`{shown(url)}` cannot be downloaded: {said}", hint=_advice(status))


def _advice(status: int) -> str:
    if status in (401, 403):
        return "it is not public, and Penstock sends no credentials: download it yourself, and map the address to the file"
    return "see whether the address is right; if the data is on this machine, map the address to it"


def refuse_forbidden(url: str) -> None:
    """PenstockError for an address that is never asked."""
    host = (urlsplit(url).hostname or "").lower().rstrip(".")
    if host in _METADATA_NAMES or _is_forbidden(host):
        raise PenstockError(
            f"`{shown(url)}` is not asked: under such addresses a cloud tells a machine's own secrets"
        )


def _is_forbidden(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        return False  # a name
    mapped = getattr(address, "ipv4_mapped", None)
    address = mapped if mapped is not None else address
    return address.is_link_local or str(address) in _METADATA_ADDRESSES


def _check_peer(connection: http.client.HTTPConnection) -> None:
    """Names are resolved while connecting: whom we have reached is known only now, before anything was asked."""
    peer = str(connection.sock.getpeername()[0])
    if _is_forbidden(peer):
        connection.close()
        raise PenstockError(
            f"`{connection.host}` is not asked: it is {peer}, where a cloud tells a machine's own secrets"
        )


class _Http(http.client.HTTPConnection):
    def connect(self) -> None:
        super().connect()
        _check_peer(self)


class _Https(http.client.HTTPSConnection):
    def connect(self) -> None:
        super().connect()
        _check_peer(self)


class _HttpHandler(urllib.request.HTTPHandler):
    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Http, req)


class _HttpsHandler(urllib.request.HTTPSHandler):
    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Https, req, context=ssl.create_default_context())


class _Redirects(urllib.request.HTTPRedirectHandler):
    max_redirections = _MOST_REDIRECTS

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        scheme = urlsplit(newurl).scheme.lower()
        if scheme not in ("http", "https"):
            raise PenstockError(
                f"`{shown(req.full_url)}` redirects to `{shown(newurl)}`, which is not followed"
            )
        if req.type == "https" and scheme == "http":
            raise PenstockError(
                f"`{shown(req.full_url)}` redirects to `{shown(newurl)}`, which is not encrypted, and is not followed"
            )
        refuse_forbidden(newurl)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """Only what is needed: no file:, no ftp:, no cookies. Proxies as the server's environment names them."""
    opener = urllib.request.OpenerDirector()
    handlers: tuple[Any, ...] = (
        urllib.request.ProxyHandler(), _HttpHandler(), _HttpsHandler(), _Redirects(),
        urllib.request.HTTPDefaultErrorHandler(), urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    )  # fmt: skip
    for handler in handlers:
        opener.add_handler(handler)
    return opener
