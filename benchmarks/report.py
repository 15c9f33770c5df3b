"""The table of a run, on the screen and in docs/performance.md."""

import os
import platform
import statistics
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from config import ROOT

HEAD = """# How fast it is

`make bench` measures this machine and writes this page. What counts are the ratios: each figure stands beside a limit
that was measured in the same run, in turn with it (A B A B …), because machines differ and are never quiet. A line
shows the median of the rounds and, in brackets, the lowest and the highest. Nothing here is a test that fails.
"""

MEANING = """
## What the lines mean

- **pgbench, the stamp's transaction**: PostgreSQL's own load program drives the statements that one stamp sends between
  BEGIN and COMMIT, prepared, with 8 clients, on the same durable server. No program around them can be faster.
- **pgbench, all statements of the request**: the same with the queries for the tablet's session and for the answer.
- **stamps at the terminal**: 8 tablets on real HTTP connections to gunicorn (2 processes of 4 threads), each with its
  cookie, an open staff session, a CSRF token and a new key for every stamp; the answer is the HTML fragment. The load
  program shares the machine's cores.
- **stamps with a PIN each**: the same with the PIN in every request, beside the bcrypt checks that the cores can do.
- **latency**: stamps sent at fixed moments at half of the highest rate, whether or not the server keeps up, measured
  from the moment on which each was due.
- **API**: the same for a shop's own software: a key instead of the cookie, no PIN, JSON instead of HTML, for as many
  clients as the line says, each with one connection that asks again as soon as it has its answer.
- **ledger verify**: rows replayed and hashed a second, beside psycopg reading the same rows.
- **Apple passes**: signed and zipped from what a card shows, beside the bare signatures of the same core.
- **a whole pass, an unchanged pass**: 8 phones on real HTTP connections ask gunicorn for passes as the database has
  them, beside a view of the same framework that says hello.
- **pushes on one connection**: one after the other, HTTP/2 over TLS, to a server on the same machine.
- **commit to phone**: from the commit of a change to the moment at which the phone that was pushed to has listed,
  fetched and read its pass, with a worker and a web server that have nothing else to do.
- **rows of the outbox, one worker**: cards that all have changed, from a worker's first push to its last.

The goals behind them: a stamp through HTTP with everything should reach 0.20 of what pgbench does with the same
statements, the terminal with its HTML 0.6 of that (0.12); PINs 0.9 of the bcrypt checks; the slowest of a hundred
answers 4 times the median at half load; verifying 0.3 of reading. Passes 0.6 of the bare signatures; through HTTP 0.20
of hello, unchanged ones 0.5; a phone shows a change within 1.5 s in 19 of 20 cases; a worker tells 0.05 of the
signatures.
"""


SCALE = "\n## Ten million transactions\n"


@dataclass
class Line:
    """One measured thing: its figures of all rounds, and the line that limits it."""

    name: str
    unit: str
    figures: list[float] = field(default_factory=list)
    limit: "Line | None" = None
    goal: float | None = None
    at_most: bool = False

    @property
    def median(self) -> float:
        """The middle of the rounds."""
        return statistics.median(self.figures)

    @property
    def ratio(self) -> float | None:
        """The median beside the limit's."""
        return self.median / self.limit.median if self.limit else None

    def cells(self) -> list[str]:
        """The line as it stands in the table."""
        spread = f"{_short(self.median)} ({_short(min(self.figures))}–{_short(max(self.figures))})"
        if self.ratio is None or self.limit is None:
            return [self.name, spread, self.unit, "", ""]
        mark = "at most" if self.at_most else "at least"
        goal = "" if self.goal is None else f"{mark} {self.goal:.2f}"
        return [self.name, spread, self.unit, f"{self.ratio:.2f} x {self.limit.name}", goal]


def table(lines: list[Line]) -> str:
    """The lines as a Markdown table that can also be read on a screen."""
    rows = [["what", "median (spread)", "unit", "ratio", "goal"], *(line.cells() for line in lines)]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    text = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in rows
    ]
    text.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(text)


def surroundings(server_version: str, load: tuple[float, float, float]) -> list[str]:
    """What a reader has to know about the machine and the moment."""
    return [
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, commit {_commit()}",
        f"{os.cpu_count()} cores ({_processor()}), Python {platform.python_version()}, PostgreSQL {server_version}",
        f"load average before the run {load[0]:.1f}, after it {os.getloadavg()[0]:.1f}",
    ]


def write(lines: list[Line], around: list[str], path: Path) -> None:
    """Write the page; what it says of ten million transactions is measured apart and stays."""
    said = "\n".join(f"- {line}" for line in around)
    kept = path.read_text(encoding="utf-8").partition(SCALE) if path.exists() else ("", "", "")
    path.write_text(f"{HEAD}\n{said}\n\n{table(lines)}\n{MEANING}{kept[1]}{kept[2]}", encoding="utf-8")


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
