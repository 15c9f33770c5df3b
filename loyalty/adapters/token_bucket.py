"""One measure of speed for all workers: how many calls a second a receiver is asked, kept in Redis.

The bucket is one number, the time at which it would be full again, moved by one script, so that workers on many
machines share it without a race. Without Redis each process keeps a slower measure of its own.
"""

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

import redis

# KEYS: the bucket. ARGV: microseconds between tokens, microseconds of burst, longest wait that is worth a token.
# Answers the wait in microseconds; below zero: no token, and the bucket as it was.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = math.max(0, full_at - now - ARGV[2])
if wait > tonumber(ARGV[3]) then return -wait end
full_at = full_at + ARGV[1]
redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000) + 1000)
return wait
"""
# Empties the bucket for a while: ARGV: microseconds from now until its next token, microseconds of burst.
_PAUSE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now + ARGV[1] + ARGV[2])
redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', math.ceil((full_at - now) / 1000) + 1000)
return 0
"""
_MICRO = 1_000_000
_CONNECT_SECONDS = 0.5
_ANSWER_SECONDS = 0.5
# A server that is away is left alone for so long, as the bell of the workers does.
_SILENCE_SECONDS = 1.0

_log = logging.getLogger(__name__)


class TokenBucket(Protocol):
    """Says when the next call may leave."""

    def take(self, longest_wait: float) -> float:
        """Take a token and return how many seconds to wait before using it.

        Below zero: no token within `longest_wait`, none was taken, and one is free after so many seconds.
        """

    def pause(self, seconds: float) -> None:
        """Give out no token for a while: the receiver asked for it."""


class LocalBucket:
    """A bucket of this process alone."""

    def __init__(self, *, rate: float, burst: int, now: Callable[[], float] = time.monotonic) -> None:
        # Whole microseconds, as in Redis: fractions of seconds do not add up.
        self._between = round(_MICRO / rate)
        self._burst = round(_MICRO * (burst - 1) / rate)
        self._now = now
        self._full_at = 0
        self._lock = threading.Lock()

    def take(self, longest_wait: float) -> float:
        """Take a token of this process."""
        with self._lock:
            now = round(self._now() * _MICRO)
            full_at = max(self._full_at, now)
            wait = max(0, full_at - now - self._burst)
            if wait > round(longest_wait * _MICRO):
                return -wait / _MICRO
            self._full_at = full_at + self._between
            return wait / _MICRO

    def pause(self, seconds: float) -> None:
        """Give out no token of this process for a while."""
        with self._lock:
            self._full_at = max(self._full_at, round((self._now() + seconds) * _MICRO) + self._burst)


class SharedBucket:
    """A bucket of all workers, in Redis; while Redis is away, a slower one of this process."""

    def __init__(self, *, redis_url: str, name: str, rate: float, burst: int, alone: LocalBucket) -> None:
        self._key = f"loyalty:bucket:{name}"
        self._between = round(_MICRO / rate)
        self._burst = round(_MICRO * (burst - 1) / rate)
        self._alone = alone
        self._server = redis.from_url(
            redis_url, socket_connect_timeout=_CONNECT_SECONDS, socket_timeout=_ANSWER_SECONDS
        )
        self._take = self._server.register_script(_TAKE)
        self._pause = self._server.register_script(_PAUSE)
        self._silent_until = 0.0

    def take(self, longest_wait: float) -> float:
        """Take a token of all workers."""
        if time.monotonic() >= self._silent_until:
            try:
                wait = self._take(keys=[self._key], args=[self._between, self._burst, round(longest_wait * _MICRO)])
                return int(wait) / _MICRO
            except redis.RedisError as error:
                self._fall_silent(error)
        return self._alone.take(longest_wait)

    def pause(self, seconds: float) -> None:
        """Give no worker a token for a while."""
        self._alone.pause(seconds)
        if time.monotonic() >= self._silent_until:
            try:
                self._pause(keys=[self._key], args=[round(seconds * _MICRO), self._burst])
            except redis.RedisError as error:
                self._fall_silent(error)

    def _fall_silent(self, error: redis.RedisError) -> None:
        self._silent_until = time.monotonic() + _SILENCE_SECONDS
        _log.warning("The bucket %s is not shared for now: %s", self._key, error)
