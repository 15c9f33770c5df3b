"""Schemathesis on a running server: what the description allows and what it forbids, filled with a shop's things."""

import json
import os
import subprocess
import sys
import urllib.request
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config import ROOT
from loyalty.web.api.others import OTHERS

PATIENCE = 60
# From so many on it is a search that takes hours, on all cores.
MANY = 100
Schema = dict[str, Any]  # JSON Schema, as deep as it likes


@dataclass(frozen=True)
class Run:
    """What a run of schemathesis said."""

    code: int
    said: str
    answers: dict[str, Counter[int]]

    @property
    def cases(self) -> int:
        """How many requests were answered."""
        return sum(statuses.total() for statuses in self.answers.values())

    def never_answered_well(self) -> set[str]:
        """Return the operations that refused everything."""
        good = range(200, 300)
        return {name for name, statuses in self.answers.items() if not any(status in good for status in statuses)}


def fuzz(
    address: tuple[str, int],
    folder: Path,
    keys: tuple[str, str],
    values: dict[str, list[str]],
    phases: str,
    *,
    examples: int,
    seed: int,
) -> Run:
    """Ask every operation, each at most `examples` times in each phase, with a shop's key or the platform's."""
    server = f"http://{address[0]}:{address[1]}/api/v1"
    described = read_description(server, values, phases)
    description = folder / "openapi.json"
    description.write_text(json.dumps(described), encoding="utf-8")
    settings = folder / "schemathesis.toml"
    settings.write_text(SETTINGS.format(*keys), encoding="utf-8")
    command = [sys.executable, "-m", "schemathesis.cli", f"--config-file={settings}", "run", str(description)]
    command += [f"--url={server}", f"--max-examples={examples}"]
    command += [
        f"--seed={seed}",
        "--generation-database=none",
        # Side by side, what one request closes is luck for the next.
        f"--workers={1 if examples < MANY else 2}",
        "--no-color",
        "--continue-on-failure",
        f"--request-timeout={PATIENCE}",
    ]
    report = folder / "cases.ndjson"
    command += [f"--phases={phases}", f"--report-ndjson-path={report}"]
    env = {**os.environ, "SCHEMATHESIS_HOOKS": "tests.web.api.schemathesis_checks", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    return Run(done.returncode, done.stdout + done.stderr, read_answers(report, described))


def read_answers(report: Path, described: Schema) -> dict[str, Counter[int]]:
    """Count the statuses that each operation answered."""
    found = {
        f"{method.upper()} {path}": Counter[int]() for path, entry in described["paths"].items() for method in entry
    }
    for line in report.read_text(encoding="utf-8").splitlines():
        recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
        for case_id, interaction in recorder.get("interactions", {}).items():
            case = recorder["cases"][case_id]["value"]
            name = f"{case['method']} {case['path']}"
            if name in found and interaction.get("response"):
                found[name][interaction["response"]["status_code"]] += 1
    return found


SETTINGS = """
[auth.openapi]
key = {{ bearer = "{0}" }}
platform = {{ bearer = "{1}" }}

[checks.positive_data_acceptance]
expected-statuses = ["2xx", "401", "403", "404", "409", "422", "423"]

[checks.negative_data_rejection]
expected-statuses = ["400", "401", "403", "404", "405", "409", "415", "422", "423"]
"""


def write_down(run: Run, phases: str, seed: int, path: Path) -> None:
    """Add to the page of long runs what one of them saw."""
    describe = ["git", "describe", "--always", "--dirty"]
    commit = subprocess.run(describe, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
    before = path.read_text(encoding="utf-8") if path.exists() else "# What long runs saw\n"
    line = f"JSON API, schemathesis ({phases}), seed {seed}, commit {commit}: {run.cases:,} requests, all as described."
    path.write_text(f"{before.rstrip()}\n\n- {datetime.now(UTC):%Y-%m-%d}: {line}\n", encoding="utf-8")


def read_description(server: str, values: dict[str, list[str]], phases: str) -> Schema:
    """Fetch the description; where a shop's things are named, those that are really there are drawn."""
    with urllib.request.urlopen(f"{server}/openapi.json", timeout=PATIENCE) as answer:
        described: Schema = json.load(answer)
    for method, path in OTHERS:
        described["paths"][path].pop(method.lower())
    fill = either if "stateful" in phases else one_of
    bodies = set()
    schemes = described["components"]["securitySchemes"]
    schemes["platform"] = schemes["key"]
    for path, entry in described["paths"].items():
        for operation in entry.values():
            if path.startswith("/admin/"):
                # The same kind of key, but another one.
                operation["security"] = [{"platform": []}]
            for parameter in operation["parameters"]:
                if (name := parameter["name"]) in values:
                    # A filter may name what is not there.
                    parameter["schema"] = (either if parameter["in"] == "query" else fill)(
                        values[name], parameter["schema"]
                    )
            for content in operation.get("requestBody", {}).get("content", {}).values():
                bodies.add(content["schema"]["$ref"].rpartition("/")[2])
    for body in sorted(bodies):
        fields = described["components"]["schemas"][body].get("properties", {})
        fields |= {name: fill(values[name], field) for name, field in fields.items() if name in values}
    return described


def one_of(known: list[str], schema: Schema) -> Schema:
    """Let only known values be drawn, and nothing where nothing is allowed."""
    optional = any(choice.get("type") == "null" for choice in schema.get("anyOf", ()))
    return {"enum": [*known, *([None] if optional else [])]}


def either(known: list[str], schema: Schema) -> Schema:
    """Let known values be drawn, and all that is allowed: links bring what other answers named."""
    return {"anyOf": [{"enum": known}, schema]}
