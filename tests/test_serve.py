"""Starting: one command brings everything up, and Ctrl-C takes everything down."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from config import ROOT


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder whose sockets have short names and that PostgreSQL's own user can reach."""
    with TemporaryDirectory(prefix="loyalty-t-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def free_port() -> int:
    """Return a port that nobody has, below those that the system gives to whoever asks for any in the meantime."""
    for port in random.SystemRandom().sample(range(20_000, 30_000), 100):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError


def environment(data: Path, port: int) -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.endswith("_URL")}
    return ours | {"DATA_DIR": str(data), "PORT": str(port), "PYTHONUNBUFFERED": "1"}


def start(data: Path, port: int) -> "subprocess.Popen[str]":
    serve = [sys.executable, "-m", "loyalty.serve"]
    pipe = subprocess.PIPE
    return subprocess.Popen(serve, cwd=ROOT, env=environment(data, port), stdout=pipe, stderr=pipe, text=True)


def lines_until_running(process: "subprocess.Popen[str]") -> list[str]:
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line.strip())
        if line.startswith("Running at"):
            return lines
    assert process.stderr is not None
    raise AssertionError(process.stderr.read())


def processes_of(data: Path) -> list[str]:
    """Return the command lines that name the data folder, as the operating system lists them."""
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if str(data) in line and "ps -eo" not in line]


def test_it_starts_everything_and_ends_everything(data: Path) -> None:
    port = free_port()
    first = start(data, port)
    lines = lines_until_running(first)
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz") as answer:
        assert json.load(answer)["status"] == "ready"
    shop = json.loads((data / "demo.json").read_text(encoding="utf-8"))
    assert any(shop["terminal_pairing_code"] in line for line in lines)

    secret = "a-token-that-no-log-may-know"
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/card/{secret}?q={secret}", headers={"User-Agent": secret})
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(asked)

    # Another command of the same data folder finds the servers, and makes links to the right port.
    env = environment(data, port)
    del env["PORT"]
    beside = [sys.executable, "-m", "flask", "--app", "wsgi", "demo", "--json"]
    said = subprocess.run(beside, cwd=ROOT, env=env, capture_output=True, text=True, check=True).stdout
    assert json.loads(said)["card_url"].startswith(f"http://localhost:{port}/card/")

    second = start(data, free_port())
    assert second.communicate()[1].startswith("It already runs with")
    assert second.returncode == 2

    first.send_signal(signal.SIGINT)
    said, more = first.communicate()
    assert "Everything has ended." in said
    # Neither the server nor the worker writes down who asked for what.
    logged = "".join(path.read_text(encoding="utf-8") for path in (data / "log").iterdir())
    assert '"event": "request"' in logged
    assert secret not in said + more + logged
    assert first.returncode == 0
    assert processes_of(data) == []


def test_it_says_that_the_port_is_taken(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
        refused = start(data, port)
        assert refused.communicate()[1].startswith(f"Port {port} is taken: stop what uses it, or start with PORT=")
    assert refused.returncode == 2
    assert processes_of(data) == []


@pytest.mark.parametrize("module", ["loyalty.serve", "wsgi"])
def test_it_says_a_bad_value_in_one_line(data: Path, module: str) -> None:
    env = environment(data, 8000) | {"PORT": "eighty"}
    done = subprocess.run([sys.executable, "-m", module], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 2
    expected = "PORT must be a whole number from 1 to 65535.\n" if module == "loyalty.serve" else "There is no database"
    assert done.stderr.startswith(expected)
    assert done.stderr.count("\n") == 1
