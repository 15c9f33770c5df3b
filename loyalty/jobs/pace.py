"""How often the wallets of one card are told: ten stamps in a minute are a few updates, and the first is never late."""

import threading
import time
from collections import OrderedDict
from uuid import UUID

from loyalty.adapters.token_bucket import LocalBucket

# A stamp and the reward for it are told at once; what follows is told together.
BURST = 2
SECONDS_BETWEEN = 20.0


class Pace:
    """Remembers whom this worker has told in the last minute, and nobody else. Threads may share it."""

    def __init__(self, *, seconds_between: float = SECONDS_BETWEEN, burst: int = BURST) -> None:
        self._rate, self._burst = 1 / seconds_between, burst
        self._forget_after = seconds_between * burst
        self._told: OrderedDict[tuple[str, UUID], tuple[float, LocalBucket]] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, kind: str, subject_id: UUID) -> float:
        """Take a turn and return zero, or return for how many seconds to wait for the next one."""
        with self._lock:
            now, key = time.monotonic(), (kind, subject_id)
            self._forget(now - self._forget_after)
            _, bucket = self._told.pop(key, (0.0, None))
            bucket = bucket or LocalBucket(rate=self._rate, burst=self._burst)
            wait = max(0.0, -bucket.take(0))
            self._told[key] = (now, bucket)
            return wait

    def _forget(self, before: float) -> None:
        """Let those go whose buckets are full again."""
        while self._told:
            key, (at, _) = next(iter(self._told.items()))
            if at > before:
                return
            del self._told[key]
