"""Why a delivery did not arrive: stored in English, as logs and programs read it, and found again for people.

What a machine says in words of its own stays as it is; what we say, and what every network says, has a sentence that
can be translated.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from loyalty.errors import N_

NO_ANSWER: Final = N_("No answer within %(seconds)s seconds.")
NO_ADDRESS: Final = N_("The name has no address.")
NOT_FOUND: Final = N_("The name cannot be looked up: %(reason)s")
NOT_PUBLIC: Final = N_("Not sent: %(host)s leads to %(address)s, which is not on the public internet.")
TOO_LONG: Final = N_("The answer is too long.")
ANSWERED: Final = N_("It answered %(status)s.")

_REFUSED: Final = N_("The connection was refused: nobody listens there.")
_CUT: Final = N_("The connection was cut before an answer came.")
_NO_WAY: Final = N_("There is no way to this address: %(reason)s")
_NOT_TRUSTED: Final = N_("The certificate is not trusted: %(reason)s")
_NOT_ENCRYPTED: Final = N_("No encrypted connection came about: %(reason)s")
_NO_WEB: Final = N_("What came back is no answer of a web server: %(reason)s")

_SENTENCES: Final = (
    NO_ANSWER,
    NO_ADDRESS,
    NOT_FOUND,
    NOT_PUBLIC,
    TOO_LONG,
    # Of an address that was allowed when it was saved.
    N_("Enter a web address that starts with https://."),
    N_("Use an address without a port: messages go to port 443 only."),
    N_("Use an address that everybody on the internet can reach."),
)
# What workers write for logs, in short.
_NOTES: Final = {
    "answered %(status)s": ANSWERED,
    "no mailer is configured": N_("No mail server is set up."),
    "no sender is configured": N_("No sender of webhooks is set up."),
    "the mail is just leaving": N_("The mail is just leaving."),
    "outcome unknown: the worker ended before the server answered": N_(
        "Perhaps delivered: the worker ended before the mail server answered."
    ),
    "outcome unknown: %(reason)s": N_("Perhaps delivered: %(reason)s"),
    "the shop is suspended; its cards wait until it works again": N_("The shop is suspended; its cards wait."),
    "the shop was suspended meanwhile; its cards wait": N_("The shop is suspended; its cards wait."),
    "a phone registered anew while it was told": N_("A phone registered anew while it was told."),
    "no answer": N_("There was no answer."),
}
# By the name under which Python knows it; the system's own words follow it.
_OF_NETWORKS: Final = {
    "ConnectionRefusedError": _REFUSED,
    "ConnectionResetError": _CUT,
    "BrokenPipeError": _CUT,
    "RemoteDisconnected": _CUT,
    "IncompleteRead": _CUT,
    "SSLEOFError": _CUT,
    "SSLZeroReturnError": _CUT,
    "SSLCertVerificationError": _NOT_TRUSTED,
    "SSLError": _NOT_ENCRYPTED,
    "BadStatusLine": _NO_WEB,
    "UnknownProtocol": _NO_WEB,
    "LineTooLong": _NO_WEB,
    "OSError": _NO_WAY,
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """A message id, and what fills its placeholders."""

    sentence: str
    values: Mapping[str, str] = field(default_factory=dict)


def find(text: str) -> Trouble | None:
    """Find the sentence behind a stored text, None where it is somebody else's words."""
    for pattern, sentence in _PATTERNS:
        if found := pattern.fullmatch(text):
            # What a system says is worth reading without the number it has there.
            return Trouble(sentence, {name: _NUMBER.sub("", value) for name, value in found.groupdict().items()})
    return None


def _pattern(template: str) -> re.Pattern[str]:
    """Return what matches a template, whatever fills it."""
    parts = re.split(r"%\((\w+)\)s", template)
    named = [re.escape(part) if number % 2 == 0 else f"(?P<{part}>.*?)" for number, part in enumerate(parts)]
    return re.compile("".join(named), re.DOTALL)


_PATTERNS: Final = (
    *((_pattern(sentence), sentence) for sentence in _SENTENCES),
    *((_pattern(note), sentence) for note, sentence in _NOTES.items()),
    # Where the sentence has room for it, the system's own words go on.
    *((_pattern(f"{name}: %(reason)s"), sentence) for name, sentence in _OF_NETWORKS.items()),
)
_NUMBER: Final = re.compile(r"^\[[^\]]*\] ")
