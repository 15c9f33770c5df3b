"""Webhooks over HTTPS: to the address that was checked, never anywhere else, and for five seconds at most.

A name is resolved once, all of its addresses are checked, and the connection goes to one of these: what the name
leads to a moment later changes nothing. Redirects are answers like others.
"""

import contextlib
import http.client
import io
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Mapping
from queue import Empty, SimpleQueue
from typing import Any, cast

from loyalty.domain import troubles
from loyalty.domain.settings import SettingError
from loyalty.domain.webhooks import Answer, Target, is_public, parse_url

SECONDS = 5.0
MOST_BYTES = 1024 * 1024
KEPT_LETTERS = 2048
USER_AGENT = "Loyalty-Webhooks/1"

Resolver = Callable[[str, int], list[str]]
Connector = Callable[[str, int, float], socket.socket]


class Refused(Exception):
    """The message was not sent or not answered; the text is for the owner's log."""


class _TooLong(Refused):
    """More came than is worth reading."""


class WebhookSender:
    """Sends one message at a time. `allowed` are the places (`host:port`) that may be private, and unencrypted."""

    def __init__(
        self,
        *,
        allowed: Collection[str] = (),
        trust: ssl.SSLContext | None = None,
        resolve: Resolver | None = None,
        connect: Connector | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self._allowed = frozenset(allowed)
        self._trust = trust or ssl.create_default_context()
        self._resolve = resolve or _resolve
        self._connect = connect or _connect
        self._seconds = seconds

    def send(self, *, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Post a body once; whatever happens is an answer."""
        start = time.monotonic()
        deadline = start + self._seconds
        status, text, error = None, "", ""
        try:
            status, text = self._post(url, body, headers, deadline)
        except SettingError as problem:
            error = str(problem)
        except TimeoutError:
            error = troubles.NO_ANSWER % {"seconds": f"{self._seconds:g}"}
        except Refused as problem:
            error = str(problem)
        except (OSError, http.client.HTTPException, ValueError) as problem:
            error = f"{type(problem).__name__}: {problem}"
        return Answer(status, int((time.monotonic() - start) * 1000), text, error)

    def _post(self, url: str, body: bytes, headers: Mapping[str, str], deadline: float) -> tuple[int, str]:
        target = parse_url(url, allowed=self._allowed)
        sock = self._open(target, deadline)
        try:
            sock.settimeout(_left(deadline))
            sock.sendall(_request(target, body, headers) + body)
            return _read(sock, deadline)
        finally:
            sock.close()

    def _open(self, target: Target, deadline: float) -> socket.socket:
        """Connect to the first address that takes the connection, encrypted for the host's name."""
        sock = self._connect_first(self._addresses(target, deadline), target.port, deadline)
        if not target.encrypted:
            return sock
        try:
            sock.settimeout(_left(deadline))
            return self._trust.wrap_socket(sock, server_hostname=target.host)
        except BaseException:
            sock.close()
            raise

    def _addresses(self, target: Target, deadline: float) -> list[str]:
        """Resolve the name once; a single address that is not public refuses all of them."""
        found = _in_time(lambda: self._resolve(target.host, target.port), deadline)
        if not found:
            raise Refused(troubles.NO_ADDRESS)
        private = [address for address in found if not is_public(address)]
        if private and target.place not in self._allowed:
            raise Refused(troubles.NOT_PUBLIC % {"host": target.host, "address": private[0]})
        return found

    def _connect_first(self, addresses: list[str], port: int, deadline: float) -> socket.socket:
        trouble: OSError = OSError("no address")
        for address in addresses:
            try:
                return self._connect(address, port, _left(deadline))
            except TimeoutError:
                raise
            except OSError as error:
                trouble = error
        raise trouble


class _Stream(io.RawIOBase):
    """Reads a socket until the deadline, however slowly it drips, and no more than is worth keeping."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        self._sock, self._deadline, self._bytes_left = sock, deadline, MOST_BYTES

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: Any) -> int:  # a writable buffer
        """Read what has come."""
        if self._bytes_left <= 0:
            raise _TooLong(troubles.TOO_LONG)
        self._sock.settimeout(_left(self._deadline))
        count = self._sock.recv_into(buffer)
        self._bytes_left -= count
        return count


class _Readable:
    """What http.client reads an answer from."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream

    def makefile(self, mode: str) -> io.BufferedReader:
        """Return the stream, buffered."""
        return io.BufferedReader(self._stream)


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    # In the resolver's order, each once.
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _connect(address: str, port: int, seconds: float) -> socket.socket:
    """Connect to an IP address; nothing is looked up, for it is no name."""
    return socket.create_connection((address, port), timeout=seconds)


def _in_time(ask: Callable[[], list[str]], deadline: float) -> list[str]:
    """Ask the resolver, which knows no timeout, in a thread that is left behind where it hangs."""
    answers: SimpleQueue[list[str] | OSError] = SimpleQueue()

    def run() -> None:
        try:
            answers.put(ask())
        except UnicodeError as error:
            answers.put(OSError(str(error)))
        except OSError as error:
            answers.put(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        answer = answers.get(timeout=_left(deadline))
    except Empty:
        raise TimeoutError from None
    if isinstance(answer, OSError):
        raise Refused(troubles.NOT_FOUND % {"reason": answer})
    return answer


def _request(target: Target, body: bytes, headers: Mapping[str, str]) -> bytes:
    usual = 443 if target.encrypted else 80
    name = f"[{target.host}]" if ":" in target.host else target.host
    lines = {
        "Host": name if target.port == usual else f"{name}:{target.port}",
        "User-Agent": USER_AGENT,
        "Accept": "*/*",
        "Connection": "close",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        **headers,
    }
    head = [f"POST {target.path} HTTP/1.1", *(f"{name}: {value}" for name, value in lines.items())]
    return ("\r\n".join(head) + "\r\n\r\n").encode("ascii")


def _read(sock: socket.socket, deadline: float) -> tuple[int, str]:
    """Read the whole answer, so that a receiver that is still at work counts as slow, and keep its beginning."""
    # A socket of which http.client uses one method.
    answer = http.client.HTTPResponse(cast(socket.socket, _Readable(_Stream(sock, deadline))), method="POST")
    answer.begin()
    kept = b""
    # Whoever says much has answered all the same.
    with contextlib.suppress(_TooLong):
        while chunk := answer.read(16384):
            kept = (kept + chunk)[: 4 * KEPT_LETTERS]
    return answer.status, kept.decode("utf-8", "replace").replace("\x00", "\ufffd")[:KEPT_LETTERS]


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
