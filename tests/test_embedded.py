"""The embedded servers: real ones, gone with their parent, and keeping what they were given."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
import redis

from loyalty.embedded import Servers, has_data, published, servers

HOLD = """
import os, sys
from pathlib import Path
from loyalty.embedded import servers
with servers(Path(sys.argv[1]), durable=True, env=os.environ) as running:
    print(running.database_url, flush=True)
    sys.stdin.read()
"""


def connect(url: str) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def test_it_runs_both_and_keeps_their_data() -> None:
    with TemporaryDirectory(prefix="loyalty-t-") as folder:
        data = Path(folder)
        data.chmod(0o711)
        assert not has_data(data)
        with servers(data, durable=True, env=os.environ) as first:
            with connect(first.database_owner_url) as owner:
                owner.execute("CREATE TABLE kept (id integer)")
                owner.execute("INSERT INTO kept VALUES (7)")
                owner.execute("CREATE TABLE people (email text UNIQUE)")
                with pytest.raises(psycopg.errors.UniqueViolation, match="cleo@"):
                    owner.execute("INSERT INTO people SELECT %s FROM generate_series(1, 2)", ["cleo@example.org"])
            redis.from_url(first.redis_url).set("kept", "7")
        assert has_data(data)
        with servers(data, durable=True, env=os.environ) as second:
            with connect(second.database_owner_url) as owner:
                assert owner.execute("SELECT id FROM kept").fetchone() == (7,)
            assert redis.from_url(second.redis_url).get("kept") == b"7"
        # What an error is about is said to whoever asked, and not written down.
        said = "".join(path.read_text(encoding="utf-8") for path in data.rglob("log") if path.is_file())
        assert "duplicate key value" in said
        assert "cleo@" not in said


def test_it_gives_the_application_no_rights_of_its_own() -> None:
    with servers(None, durable=False, env=os.environ) as running, connect(running.database_url) as app:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("CREATE TABLE mine (id integer)")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            app.execute("SET session_replication_role = replica")


def test_it_leaves_nothing_behind_when_the_parent_is_killed() -> None:
    with TemporaryDirectory(prefix="loyalty-t-", ignore_cleanup_errors=True) as folder:
        data = Path(folder)
        data.chmod(0o711)
        command = [sys.executable, "-c", HOLD, folder]
        parent = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert parent.stdout is not None
        url = parent.stdout.readline().strip()
        with connect(url) as held:
            parent.send_signal(signal.SIGKILL)
            parent.wait()
            # The shutdown ends our session: waiting for that needs no clock.
            with pytest.raises(psycopg.OperationalError):
                held.execute("SELECT pg_sleep(60)")
        # A crash's leftovers do not stop the next start.
        with servers(data, durable=True, env=os.environ) as again, connect(again.database_url) as app:
            assert app.execute("SELECT 1").fetchone() == (1,)


def test_it_copes_with_a_path_too_long_for_a_socket() -> None:
    with TemporaryDirectory(prefix="loyalty-t-") as folder:
        Path(folder).chmod(0o711)
        data = Path(folder) / ("long" * 25)
        with servers(data, durable=False, env=os.environ) as running, connect(running.database_url) as app:
            assert app.execute("SELECT 1").fetchone() == (1,)


def test_it_tells_other_processes_where_they_are_and_only_the_owner(tmp_path: Path) -> None:
    running = Servers("app", "owner", "redis", "bin")
    path = tmp_path / "run" / "embedded.json"
    with published(tmp_path, running, port="8000"):
        assert json.loads(path.read_text(encoding="utf-8"))["database_owner_url"] == "owner"
        assert path.stat().st_mode & 0o077 == 0
    assert not path.exists()
