"""The bell: quick, quiet, and never in the way."""

import socket
from collections.abc import Iterator

import pytest
import redis
from flask import Flask

from config import Config
from loyalty import queue
from loyalty.database import new_id

# Seconds that a ring may cost, before the fixtures of other tests allow more.
ALLOWED = queue._CONNECT_SECONDS, queue._ANSWER_SECONDS


@pytest.fixture(autouse=True)
def hung_again(config: Config) -> Iterator[None]:
    yield
    queue.configure(redis_url=config.redis_url)


def test_it_queues_one_job_however_often_it_rings(app: Flask, valkey: "redis.Redis") -> None:
    valkey.flushdb()
    message_id = new_id()
    for _ in range(3):
        queue.poke(message_id)
    assert valkey.lrange(f"rq:queue:{queue.NAME}", 0, -1) == [str(message_id).encode()]


def test_it_costs_a_log_line_when_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        port = bound.getsockname()[1]
    queue.configure(redis_url=f"redis://127.0.0.1:{port}/0")
    queue.poke(new_id())
    assert "did not ring" in caplog.text


def test_it_gives_up_soon_on_a_server_that_takes_and_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sum(ALLOWED) <= 0.05
    monkeypatch.setattr(queue, "_CONNECT_SECONDS", ALLOWED[0])
    monkeypatch.setattr(queue, "_ANSWER_SECONDS", ALLOWED[1])
    # However long the rest takes on a busy machine.
    monkeypatch.setattr(queue, "_SILENCE_SECONDS", 3600)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        queue.configure(redis_url=f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        for _ in range(6):
            queue.poke(new_id())
        # It was asked once, and then left alone.
        silent.accept()[0].close()
        silent.settimeout(0)
        with pytest.raises(BlockingIOError):
            silent.accept()
