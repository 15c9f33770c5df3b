"""One speed for all workers."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
import redis

from config import Config
from loyalty.adapters import token_bucket
from loyalty.adapters.token_bucket import LocalBucket, SharedBucket

NOBODY = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Valkey that is there has all the time it needs: a slow answer is another measure."""
    monkeypatch.setattr(token_bucket, "_CONNECT_SECONDS", 60)
    monkeypatch.setattr(token_bucket, "_ANSWER_SECONDS", 60)


def shared(redis_url: str, name: str, *, rate: float = 15, alone: LocalBucket | None = None) -> SharedBucket:
    slower = alone or LocalBucket(rate=5, burst=1)
    return SharedBucket(redis_url=redis_url, name=name, rate=rate, burst=4, alone=slower)


def test_it_gives_a_burst_and_then_one_by_one() -> None:
    bucket = LocalBucket(rate=10, burst=3, now=lambda: 50.0)
    waits = [bucket.take(1.0) for _ in range(6)]
    assert waits == pytest.approx([0, 0, 0, 0.1, 0.2, 0.3])


def test_it_fills_again_with_time() -> None:
    now = [0.0]
    bucket = LocalBucket(rate=10, burst=2, now=lambda: now[0])
    assert [bucket.take(0), bucket.take(0)] == [0, 0]
    assert bucket.take(0) < 0
    now[0] += 1000
    assert [bucket.take(0), bucket.take(0)] == [0, 0]
    assert bucket.take(0) == pytest.approx(-0.1)


def test_it_takes_nothing_when_the_wait_is_too_long() -> None:
    bucket = LocalBucket(rate=1, burst=1, now=lambda: 0.0)
    bucket.take(0)
    assert [bucket.take(0.5) for _ in range(5)] == [-1.0] * 5
    assert bucket.take(1.0) == 1.0


def test_it_never_gives_more_than_nineteen_in_any_second() -> None:
    now = [0.0]
    bucket = LocalBucket(rate=15, burst=4, now=lambda: now[0])
    given: list[float] = []
    for tick in range(5000):
        now[0] = tick / 1000
        if bucket.take(0) >= 0:
            given.append(now[0])
    assert len(given) == pytest.approx(75, abs=5)
    assert max(sum(1 for other in given if start <= other < start + 1) for start in given) <= 19


def test_it_pauses_for_everybody() -> None:
    now = [0.0]
    bucket = LocalBucket(rate=10, burst=5, now=lambda: now[0])
    bucket.pause(30)
    assert bucket.take(1) == pytest.approx(-30)
    now[0] = 30
    assert bucket.take(0) == 0


def test_it_is_shared_by_workers(config: Config, valkey: "redis.Redis") -> None:
    name = str(uuid4())
    one, other = (shared(config.redis_url, name, rate=0.01) for _ in range(2))
    with ThreadPoolExecutor(8) as pool:
        waits = list(pool.map(lambda number: (one, other)[number % 2].take(0), range(40)))
    assert sum(wait == 0 for wait in waits) == 4
    assert min(waits) == pytest.approx(-100, abs=50)


def test_it_reserves_a_turn_in_redis(config: Config, valkey: "redis.Redis") -> None:
    bucket = shared(config.redis_url, str(uuid4()), rate=0.01)
    waits = [bucket.take(500) for _ in range(6)]
    assert waits[:4] == [0, 0, 0, 0]
    assert waits[4:] == pytest.approx([100, 200], abs=50)


def test_it_pauses_all_workers(config: Config, valkey: "redis.Redis") -> None:
    name = str(uuid4())
    one, other = (shared(config.redis_url, name) for _ in range(2))
    one.pause(300)
    assert other.take(1) == pytest.approx(-300, abs=60)


def test_it_forgets_a_bucket_that_nobody_uses(config: Config, valkey: "redis.Redis") -> None:
    name = str(uuid4())
    shared(config.redis_url, name, rate=0.01).take(0)
    left = valkey.pttl(f"loyalty:bucket:{name}")
    assert isinstance(left, int)
    # When it would be full again, and a second.
    assert 0 < left <= 101_000


def test_it_goes_on_alone_and_slower_without_redis() -> None:
    bucket = shared(NOBODY, "x", alone=LocalBucket(rate=5, burst=1, now=lambda: 0.0))
    assert [bucket.take(1) for _ in range(3)] == pytest.approx([0, 0.2, 0.4])
    bucket.pause(10)
    assert bucket.take(1) == pytest.approx(-10)
