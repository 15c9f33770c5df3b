"""The guide for developers works: each of its blocks runs, in order, against a real server."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from config import ROOT, Config
from loyalty import jobs
from loyalty.adapters.webhook import WebhookSender
from loyalty.database import db
from loyalty.jobs import webhooks as webhook_jobs
from loyalty.models.outbox import OutboxMessage
from loyalty.services import verification
from tests.crash_till import web_server

GUIDE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.M | re.S)


def blocks(kind: str) -> list[str]:
    """Return the blocks of a language, in order."""
    return [text for language, text in BLOCK.findall(GUIDE) if language == kind]


def test_it_has_no_block_that_nobody_runs() -> None:
    assert {opened for opened in re.findall(r"^```(\w*)$", GUIDE, re.M) if opened} == {"sh", "python"}
    assert len(BLOCK.findall(GUIDE)) * 2 == GUIDE.count("```")


@pytest.fixture
def port() -> int:
    with socket.create_server(("localhost", 0)) as bound:
        return int(bound.getsockname()[1])


@pytest.fixture
def guide(app: Flask, config: Config, tmp_path: Path, port: int) -> Iterator[Callable[[str], str]]:
    """A server as the guide expects it; the value rewrites a block for where it runs here."""
    with web_server(config, tmp_path, served="wsgi:app", WEBHOOK_ALLOW=f"localhost:{port}") as (host, web):

        def rewritten(text: str) -> str:
            text = text.replace("http://localhost:8000", f"http://{host}:{web}")
            text = text.replace("localhost:9000", f"localhost:{port}").replace(
                '("localhost", 9000)', f'("localhost", {port})'
            )
            return text.replace(".venv/bin/flask", f"{sys.executable} -m flask")

        yield rewritten


def test_it_can_be_pasted(app: Flask, config: Config, tmp_path: Path, port: int, guide: Callable[[str], str]) -> None:
    env = environment(config, tmp_path)
    *before, hook, last = blocks("sh")
    client, work, hooks = blocks("python")
    before.append(f"export KEY PIN\n{sys.executable} client.py\n")
    (tmp_path / "client.py").write_text(guide(client + work), encoding="utf-8")
    # The receiver is ready before the last block asks for a message.
    hook += f"{sys.executable} hooks.py > heard.txt 2> /dev/null &\necho $! > hooks.pid\n"
    hook += "curl -sS --retry 60 --retry-connrefused --retry-delay 1 -o /dev/null http://localhost:9000/\n"
    (tmp_path / "hooks.py").write_text(guide(hooks), encoding="utf-8")
    shutil.copy(ROOT / "docs" / "examples" / "verify_webhook.py", tmp_path)
    made_by_make_run = ".venv/bin/flask --app wsgi demo\n"
    said = shell("".join([made_by_make_run, *before, hook, last]), guide, env, tmp_path)
    assert "Sent twice, stamped once" in said
    assert "INSUFFICIENT_STAMPS 1 of 10" in said
    try:
        deliver(app, port)
    finally:
        os.kill(int((tmp_path / "hooks.pid").read_text()), signal.SIGTERM)
    assert (tmp_path / "heard.txt").read_text().split() == ["test"]
    with app.app_context():
        assert verification.verify().findings == []


def environment(config: Config, folder: Path) -> dict[str, str]:
    """What the commands of the guide find in the environment of a server."""
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
        "SECRET_KEY": config.secret_key,
        "PIN_PEPPER": config.pin_pepper.decode(),
        "DATA_DIR": str(folder),
        "FLASK_APP": str(ROOT / "wsgi.py"),
    }


def shell(text: str, guide: Callable[[str], str], env: dict[str, str], folder: Path) -> str:
    """Run blocks in one shell, as somebody who pastes them; the first that fails ends it."""
    script = "set -eu\n" + guide(text)
    done = subprocess.run(["sh", "-c", script], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def deliver(app: Flask, port: int) -> None:
    """Do what a worker does."""
    webhook_jobs.configure(sender=WebhookSender(allowed=[f"localhost:{port}"]))
    try:
        with app.app_context():
            mine = sa.select(OutboxMessage.id).where(OutboxMessage.kind.startswith("webhook"))
            for message_id in db.session.execute(mine).scalars().all():
                jobs.deliver(str(message_id))
    finally:
        webhook_jobs.configure(sender=WebhookSender())
