"""The worker process: rung for or not, killed or stopped."""

import re
import signal
import socket
import subprocess
import threading
from pathlib import Path

import pytest
import redis
from flask import Flask

from config import Config
from loyalty.services import outbox
from tests.apns_fake import Answer
from tests.factories import make_shop
from tests.fakes import SmtpSink
from tests.jobs.apple_world import World, world
from tests.mails import let_time_pass, make_mail
from tests.processes import python

__all__ = ["world"]

WORKER = "from loyalty.jobs import worker; worker.run(app)"


@pytest.mark.usefixtures("context")
def test_it_delivers_what_is_rung_for_survives_a_kill_and_stops_when_asked(
    config: Config, sink: SmtpSink, valkey: "redis.Redis"
) -> None:
    shop = make_shop()
    with python(WORKER, config=config, MAIL_URL=sink.url) as parent:
        make_mail(shop)
        assert sink.wait_for(1)
        _kill_child(parent)
        make_mail(shop)
        assert sink.wait_for(2)
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(30) == 0
    assert len(sink.mails) == 2


@pytest.mark.usefixtures("context")
def test_it_delivers_although_the_queue_was_flushed(config: Config, sink: SmtpSink, valkey: "redis.Redis") -> None:
    shop = make_shop()
    make_mail(shop)
    valkey.flushdb()
    with python(WORKER, config=config, MAIL_URL=sink.url):
        assert sink.wait_for(1)


@pytest.mark.usefixtures("context")
def test_it_delivers_although_redis_is_away(config: Config, sink: SmtpSink, tmp_path: Path) -> None:
    make_mail()
    nowhere = f"unix://{tmp_path}/nobody.sock?db=0"
    with python(WORKER, config=config, MAIL_URL=sink.url, REDIS_URL=nowhere) as parent:
        assert sink.wait_for(1)
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(30) == 0


@pytest.mark.usefixtures("context")
def test_it_delivers_although_redis_takes_and_never_answers(config: Config, sink: SmtpSink) -> None:
    make_mail()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hole = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with python(WORKER, config=config, MAIL_URL=sink.url, REDIS_URL=hole) as parent:
            assert sink.wait_for(1)
            parent.send_signal(signal.SIGTERM)
            assert parent.wait(30) == 0


def test_it_wakes_the_phone_although_the_worker_was_killed_and_every_ring_is_lost(
    app: Flask, config: Config, world: World, tmp_path: Path
) -> None:
    phone, held = world.phone()
    never = threading.Event()
    world.apns.everybody = Answer(after=never)
    settings = world.settings(config) | {"REDIS_URL": f"unix://{tmp_path}/nobody.sock?db=0"}
    with python(WORKER, config=config, talk=False, **settings) as parent:
        world.stamp()
        assert world.apns.arrived.wait(30)
        _kill_child(parent)
        world.apns.everybody = Answer()
        with app.app_context():
            let_time_pass(outbox.LEASE)
        assert world.apns.wait_for(1)
        never.set()
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(30) == 0
    assert set(world.apns.tokens) == {phone.push_token}
    phone.wake()
    assert held.stamps == "4/10"


def _kill_child(parent: "subprocess.Popen[bytes]") -> None:
    """Kill the process that works, not the one that watches it."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent.pid)], capture_output=True, text=True, check=True)
    (child,) = re.findall(r"\d+", listed.stdout)
    subprocess.run(["kill", "-9", child], check=True)
