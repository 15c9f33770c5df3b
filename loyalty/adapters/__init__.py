"""What sends things: one file for each receiver, its own timeouts, called by jobs only."""


class AdapterError(Exception):
    """A receiver was not told; the text is for the people who look after the platform."""


class Unavailable(AdapterError):
    """The receiver does not take it now and certainly has not got it: try again later.

    `retry_after` is in seconds, where the receiver said how long it wants to be left alone.
    """

    def __init__(self, reason: str, *, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Held(Unavailable):
    """Nobody was asked: we hold it back ourselves for `retry_after` seconds, which costs no attempt."""

    def __init__(self, reason: str, *, retry_after: float) -> None:
        super().__init__(reason, retry_after=retry_after)
        self.seconds = retry_after


class Paced(Held):
    """We hold it back for speed alone: nothing is wrong, and nobody has to look at it."""


class Rejected(AdapterError):
    """The receiver will never take it: trying again is useless."""


class NobodyThere(Rejected):
    """The receiver knows nobody under this address."""


class Unanswered(AdapterError):
    """It left, and no answer came: the receiver may have it or not, so nobody may repeat it by themselves."""
