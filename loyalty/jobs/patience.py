"""How long a receiver that is away is left alone. Each worker learns it by itself."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from loyalty.adapters import Held, Unavailable

# After so many failures in a row a receiver is taken to be away: asking on would only hold up the mails.
FAILURES = 3
FIRST_PAUSE = 15.0
# A minute after the receiver is back everybody has been told, so it is looked for more often than that.
LONGEST_PAUSE = 40.0


class Patience:
    """Counts how often a receiver has failed in a row. Threads may share it: a lost count does no harm."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._failures = 0
        self._quiet_until = 0.0

    def left(self) -> float:
        """Return for how many seconds nobody shall ask; zero where anybody may."""
        return max(0.0, self._quiet_until - time.monotonic())

    def succeeded(self) -> None:
        """Note an answer, whatever it said."""
        self._failures = 0

    def failed(self, error: Unavailable) -> Unavailable:
        """Note that nothing was answered; return what to raise: while it is away, waiting costs no attempt."""
        self._failures += 1
        if self._failures < FAILURES:
            return error
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(self._failures - FAILURES, 10))
        self._quiet_until = time.monotonic() + pause
        return Held(f"{self.name} is away: {error}", retry_after=max(pause, error.retry_after or 0.0))

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask, unless the receiver has just failed several times; what is raised tells how it went."""
        left = self.left()
        if left > 0:
            raise Held(f"{self.name} does not answer and is left alone for a while", retry_after=left)
        try:
            yield
        except Held:
            raise
        except Unavailable as error:
            raise self.failed(error) from error
        except Exception:
            self.succeeded()
            raise
        self.succeeded()
