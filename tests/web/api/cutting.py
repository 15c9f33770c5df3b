"""A proxy that hangs up in the middle of answers, and a program that asks again with the same key until it knows."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from random import Random
from typing import Any

PATIENCE = 60


@dataclass
class Proxy:
    """Passes requests on to `behind`; of the next answers it lets through as many bytes as `cuts` says, then all."""

    behind: tuple[str, int]
    address: tuple[str, int] = ("", 0)
    cuts: list[int] = field(default_factory=list)
    cut: int = 0

    def pass_on(self, client: socket.socket) -> None:
        """Pass one request and its answer on, or the beginning of it."""
        with client, socket.create_connection(self.behind, PATIENCE) as server:
            server.sendall(_request(client))
            server.shutdown(socket.SHUT_WR)
            answer = b""
            # Read to its end before anything is cut: the server has done its work.
            while chunk := server.recv(65_536):
                answer += chunk
            if self.cuts and (most := self.cuts.pop()) < len(answer):
                self.cut += 1
                answer = answer[:most]
            client.sendall(answer)


@contextmanager
def proxy(behind: tuple[str, int]) -> Iterator[Proxy]:
    """Run a proxy while the block lasts."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        running = Proxy(behind, listening.getsockname()[:2])

        def serve() -> None:
            with suppress(OSError):
                while True:
                    running.pass_on(listening.accept()[0])

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield running
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


@dataclass(frozen=True)
class Known:
    """An answer that arrived whole, after how many tries."""

    status: int
    content: bytes
    replayed: bool
    tries: int


def ask_until_known(
    address: tuple[str, int], method: str, path: str, body: dict[str, Any], key: str, api_key: str | None = None
) -> Known:
    """Send the same request under the same key until an answer arrives whole."""
    headers = {"Idempotency-Key": key, "Content-Type": "application/json", "Connection": "close"}
    headers |= {"Authorization": f"Bearer {api_key}"} if api_key else {}
    for number in range(1, 20):
        connection = HTTPConnection(*address, timeout=PATIENCE)
        with suppress(HTTPException, OSError):
            connection.request(method, path, json.dumps(body), headers)
            answer = connection.getresponse()
            content = answer.read()
            # Headers that were cut have no length, and what then comes is no JSON.
            if answer.headers["Content-Length"] == str(len(content)):
                return Known(answer.status, content, answer.headers["Idempotency-Replayed"] == "true", number)
        connection.close()
    raise AssertionError(f"no answer to {path}")


def draw_cuts(dice: Random) -> list[int]:
    """Draw where the next answers are cut: none to three of them, anywhere from the first byte on."""
    return [dice.randrange(1_500) for _ in range(dice.randrange(4))]


def _request(client: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += client.recv(65_536)
    top, _, rest = received.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in top.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while len(rest) < int(lengths[0] if lengths else 0):
        chunk = client.recv(65_536)
        rest, received = rest + chunk, received + chunk
    return received
