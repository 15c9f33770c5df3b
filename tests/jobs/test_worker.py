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
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.worker import WorkerStatus

from config import Config
from loyalty import queue
from loyalty.jobs.worker import AppWorker
from loyalty.services import outbox
from tests.apns_fake import Answer
from tests.factories import make_shop
from tests.fakes import SmtpSink
from tests.jobs.apple_world import World, world
from tests.mails import let_time_pass, make_mail
from tests.processes import python

__all__ = ["world"]

# Seconds a process may take on a machine that does other things.
PATIENCE = 120
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
        assert parent.wait(PATIENCE) == 0
    assert len(sink.mails) == 2


@pytest.fixture
def listener(app: Flask, config: Config, valkey: "redis.Redis") -> AppWorker:
    """A worker that is handed its jobs, with nothing on the queue."""
    valkey.flushdb()
    server = redis.from_url(config.redis_url)
    worker = AppWorker([Queue(queue.NAME, connection=server, serializer=JSONSerializer)], connection=server)
    worker.app = app
    return worker


def hear(listener: AppWorker, message_id: str) -> None:
    """Let the worker do what was rung for."""
    [bell] = listener.queues
    job = Job.fetch(message_id, connection=listener.connection, serializer=JSONSerializer)
    listener.execute_job(job, bell)


def test_it_takes_a_ring_down_before_it_delivers(app: Flask, sink: SmtpSink, listener: AppWorker) -> None:
    with app.app_context():
        message_id = make_mail()
    hear(listener, str(message_id))
    assert len(sink.mails) == 1
    assert not listener.connection.exists(f"rq:job:{message_id}")
    queue.poke(message_id)
    assert listener.connection.exists(f"rq:job:{message_id}")


def test_it_goes_on_after_a_job_that_fails(listener: AppWorker, caplog: pytest.LogCaptureFixture) -> None:
    [bell] = listener.queues
    bell.enqueue_call(queue.JOB, args=("no number of a row",), job_id="odd")
    hear(listener, "odd")
    assert "Job odd failed" in caplog.text
    assert listener.get_state() == WorkerStatus.IDLE
    assert not listener.connection.exists("rq:job:odd")


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
        assert parent.wait(PATIENCE) == 0


@pytest.mark.usefixtures("context")
def test_it_delivers_although_redis_takes_and_never_answers(config: Config, sink: SmtpSink) -> None:
    make_mail()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hole = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        with python(WORKER, config=config, MAIL_URL=sink.url, REDIS_URL=hole) as parent:
            assert sink.wait_for(1)
            parent.send_signal(signal.SIGTERM)
            assert parent.wait(PATIENCE) == 0


def test_it_wakes_the_phone_although_the_worker_was_killed_and_every_ring_is_lost(
    app: Flask, config: Config, world: World, tmp_path: Path
) -> None:
    phone, held = world.phone()
    never = threading.Event()
    world.apns.everybody = Answer(after=never)
    settings = world.settings(config) | {"REDIS_URL": f"unix://{tmp_path}/nobody.sock?db=0"}
    with python(WORKER, config=config, talk=False, **settings) as parent:
        world.stamp()
        assert world.apns.arrived.wait(PATIENCE)
        _kill_child(parent)
        world.apns.everybody = Answer()
        with app.app_context():
            let_time_pass(outbox.LEASE)
        assert world.apns.wait_for(1)
        never.set()
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(PATIENCE) == 0
    assert set(world.apns.tokens) == {phone.push_token}
    phone.wake()
    assert held.stamps == "4/10"


def _kill_child(parent: "subprocess.Popen[bytes]") -> None:
    """Kill the process that works, not the one that watches it."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent.pid)], capture_output=True, text=True, check=True)
    (child,) = re.findall(r"\d+", listed.stdout)
    subprocess.run(["kill", "-9", child], check=True)
