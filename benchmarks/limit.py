"""What the database can do: the statements of one stamp, taken from the application and driven by pgbench."""

import json
import re
import subprocess
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from psycopg.types.json import Jsonb

from benchmarks.shop import CARDS, FIRST, PREFIX

CLIENTS = 8
Statement = tuple[str, dict[str, Any]]  # of all types that a column can have
Step = Statement | str
Changing = dict[Hashable, str]


@contextmanager
def recorded(app: Flask) -> Iterator[list[Step]]:
    """Collect the statements of the block, and where transactions begin and end."""
    taken: list[Step] = []

    def note(_conn: object, _cursor: object, statement: str, parameters: dict[str, Any], *_: object) -> None:
        taken.append((statement, dict(parameters or {})))

    hooks: dict[str, Callable[..., None]] = {
        "before_cursor_execute": note,
        "begin": lambda _conn: taken.append("BEGIN"),
        "commit": lambda _conn: taken.append("COMMIT"),
        "rollback": lambda _conn: taken.append("ROLLBACK"),
    }
    with app.app_context():
        engine: sa.Engine = app.extensions["sqlalchemy"].engine
    for name, hook in hooks.items():
        sa.event.listen(engine, name, hook)
    try:
        yield taken
    finally:
        for name, hook in hooks.items():
            sa.event.remove(engine, name, hook)


def transaction_of(steps: list[Step]) -> list[Step]:
    """Return the one transaction that writes to the ledger, from BEGIN to COMMIT."""
    insert = next(i for i, step in enumerate(steps) if isinstance(step, tuple) and _is_entry(step[0]))
    begin = max(i for i, step in enumerate(steps[:insert]) if step in ("BEGIN", "COMMIT", "ROLLBACK"))
    end = next(i for i, step in enumerate(steps) if i > insert and step == "COMMIT")
    return ["BEGIN", *(step for step in steps[begin + 1 : end] if isinstance(step, tuple)), "COMMIT"]


def script(steps: list[Step], card: UUID, key: str) -> str:
    """Write the steps as a pgbench script: another card and another key each time, all other values as they were."""
    lines = [f"\\set n random(1, {CARDS})", f"\\set other {FIRST} + :n", f"\\set new random({FIRST}, {16 * FIRST - 1})"]
    entry = next(step[1] for step in steps if isinstance(step, tuple) and _is_entry(step[0]))
    changing: Changing = {
        card: f"('{PREFIX}' || to_hex(:other::bigint))",
        entry["id"]: f"('{PREFIX}' || to_hex(:new::bigint))",
        entry["transaction_at"]: "clock_timestamp()",
        key: "md5(random() || clock_timestamp()::text)",
    }
    for step in steps:
        line = step if isinstance(step, str) else _filled(*step, changing)
        lines.append(f"{line} \\gset" if "FOR UPDATE" in line else f"{line};")
    return "\n".join(lines) + "\n"


def run(bin_folder: Path, database_url: str, path: Path, seconds: int) -> float:
    """Drive a script with prepared statements; return transactions per second."""
    url = sa.make_url(database_url)
    host = str(url.query.get("host") or url.host)
    command = [bin_folder / "pgbench", "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(seconds)]
    command += ["-f", path, "-h", host, "-p", str(url.port or 5432), "-U", url.username or "", url.database or ""]
    done = subprocess.run(
        [str(part) for part in command],
        env={"PGPASSWORD": url.password or "", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=seconds + 60,
        check=False,
    )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    failed = re.search(r"number of failed transactions: ([1-9]\d*)", done.stdout)
    if done.returncode or found is None or failed:
        raise RuntimeError(f"pgbench failed: {done.stderr[-800:]}")
    return float(found[1])


def _filled(statement: str, parameters: dict[str, Any], changing: Changing) -> str:
    filled = re.sub(r"%\((\w+)\)s", lambda m: _value(m[1], parameters[m[1]], changing), statement)
    return " ".join(filled.replace("%%", "%").split())


def _is_entry(statement: str) -> bool:
    return "INSERT INTO loyalty_transactions" in statement


def _value(name: str, value: object, changing: Changing) -> str:
    if isinstance(value, Hashable) and value in changing:
        return changing[value]
    if name in ("seq", "ledger_seq"):
        return "(:ledger_seq::bigint + 1)"
    return _literal(value)


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool | int):
        return str(value)
    if isinstance(value, Jsonb):
        value = json.dumps(value.obj)
    if isinstance(value, UUID | date | datetime):
        value = str(value)
    if not isinstance(value, str):
        raise TypeError(f"a statement holds a {type(value).__name__}")
    # pgbench would take a colon for one of its variables, also inside quotes.
    return "E'" + value.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a") + "'"
