"""What sends things: one file for each receiver, its own timeouts, called by jobs only."""


class AdapterError(Exception):
    """A receiver was not told; the text is for the people who look after the platform."""


class Unavailable(AdapterError):
    """The receiver does not take it now and certainly has not got it: try again later."""


class Rejected(AdapterError):
    """The receiver will never take it: trying again is useless."""


class Unanswered(AdapterError):
    """It left, and no answer came: the receiver may have it or not, so nobody may repeat it by themselves."""
