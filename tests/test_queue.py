"""The bell: quick, quiet, and never in the way."""

import socket
import time
from collections.abc import Iterator

import pytest
import redis

from config import Config
from loyalty import queue
from loyalty.database import new_id


@pytest.fixture(autouse=True)
def hung_again(config: Config) -> Iterator[None]:
    yield
    queue.configure(redis_url=config.redis_url)


def test_it_queues_one_job_however_often_it_rings(config: Config, valkey: "redis.Redis") -> None:
    valkey.flushdb()
    queue.configure(redis_url=config.redis_url)
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


def test_it_gives_up_soon_on_a_server_that_takes_and_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        queue.configure(redis_url=f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        first = _seconds()
        rest = [_seconds() for _ in range(5)]
    assert first < 0.5  # 50 ms are allowed; a busy machine may add to that
    assert max(rest) < 0.02


def _seconds() -> float:
    start = time.perf_counter()
    queue.poke(new_id())
    return time.perf_counter() - start
