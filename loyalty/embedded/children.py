"""Children that end with their parent, and the folders they may live in."""

import atexit
import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

# An address of a Unix socket ends at 104 bytes on macOS, 108 on Linux; the file's own name needs some of them.
LONGEST_SOCKET_FOLDER = 80

# The child hangs on a pipe whose only writer is the parent: when the parent is gone, however it went, the pipe ends.
WATCHDOG = """
exec 3<&0
"$@" </dev/null 3<&- &
child=$!
trap 'kill -{signal} $child 2>/dev/null' TERM INT
( read _ <&3; kill -{signal} $child ) 2>/dev/null &
reader=$!
while :; do wait $child; code=$?; kill -0 $child 2>/dev/null || break; done
kill $reader 2>/dev/null
exit $code
"""


class EmbeddedError(Exception):
    """A server could not be started; the text says why and what to do."""


class Credentials(TypedDict, total=False):
    """Popen's keywords for running as somebody else."""

    user: int
    group: int
    extra_groups: list[int]


def spawn(
    args: Sequence[str],
    *,
    stop: str,
    log: Path | None = None,
    credentials: Credentials | None = None,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> "subprocess.Popen[bytes]":
    """Start a child that ends with this process, stopped by the named signal; without a log it writes where we do."""
    shell = ["/bin/sh", "-c", WATCHDOG.replace("{signal}", stop), "sh", *args]
    with contextlib.ExitStack() as stack:
        out = stack.enter_context(log.open("ab")) if log else None
        return subprocess.Popen(
            shell,
            stdin=subprocess.PIPE,
            stdout=out,
            stderr=out,
            start_new_session=True,
            cwd=cwd,
            env=env,
            **(credentials or {}),
        )


def end(child: "subprocess.Popen[bytes]", seconds: float = 20) -> None:
    """Let a child go and wait for it; one that does not listen is killed."""
    if child.stdin is not None:
        child.stdin.close()
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, 9)
        child.wait()


def await_predecessor(pid_file: Path, seconds: float = 10) -> None:
    """Wait for a server that is still shutting down: its parent was killed and started again at once."""
    until = time.monotonic() + seconds
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid = int(pid_file.read_text(encoding="utf-8").splitlines()[0])
        while time.monotonic() < until:
            os.kill(pid, 0)
            time.sleep(0.02)


def unprivileged() -> Credentials:
    """Return whom to run PostgreSQL as: it refuses to be root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def open_to_all(path: Path) -> bool:
    """Say whether every folder above a path lets everybody through."""
    return all(folder.stat().st_mode & 0o001 for folder in path.resolve().parents)


def socket_folder(base: Path, credentials: Credentials) -> Path:
    """Return a folder whose path is short enough for a socket: the given one, or a private one."""
    if len(os.fsencode(base)) < LONGEST_SOCKET_FOLDER:
        return base
    folder = Path(tempfile.mkdtemp(prefix="loyalty-", dir="/tmp"))  # private, and short is the point
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if credentials:
        os.chown(folder, credentials["user"], credentials["group"])
    return folder


def last_words(log: Path) -> str:
    """Return the end of a log as one line."""
    return " ".join(log.read_text(encoding="utf-8", errors="replace").split())[-500:] if log.exists() else "no log"
