"""Where the root keys of Google's callbacks come from: Google's address, or a file."""

import re
from datetime import timedelta
from pathlib import Path

import requests

from loyalty.adapters import Unavailable
from loyalty.wallets.google_keys import FetchedKeys

# A callback waits for this at most once in five minutes, and Google wants its answer in a second or two.
_SECONDS = (1.0, 2.0)
_MOST_BYTES = 64 * 1024
_FILE_AGE = timedelta(minutes=10)
_DEFAULT_AGE = timedelta(hours=1)
_MAX_AGE = re.compile(r"(?:^|[,\s])max-age=(\d{1,9})(?:$|[,\s])", re.ASCII | re.IGNORECASE)


def fetch_keys(url: str) -> FetchedKeys:
    """Fetch the published key set, and for how long its headers let it be kept."""
    try:
        with requests.get(url, timeout=_SECONDS, allow_redirects=False, stream=True) as answer:
            if answer.status_code != 200:
                raise Unavailable(f"{answer.status_code} {answer.reason}")
            body = _read(answer)
            cache_control = answer.headers.get("Cache-Control", "")
    except (requests.RequestException, OSError) as error:
        raise Unavailable(f"{type(error).__name__}: {error}") from error
    told = _MAX_AGE.search(cache_control)
    return FetchedKeys(body, timedelta(seconds=int(told[1])) if told else _DEFAULT_AGE)


def read_keys(path: Path) -> FetchedKeys:
    """Read a key set that is kept by hand; a change is seen within minutes."""
    try:
        return FetchedKeys(path.read_bytes(), _FILE_AGE)
    except OSError as error:
        raise Unavailable(f"{path}: {error.strerror}") from error


def _read(answer: requests.Response) -> bytes:
    body = b""
    for part in answer.iter_content(_MOST_BYTES):
        body += part
        if len(body) > _MOST_BYTES:
            raise Unavailable(f"a key set of more than {_MOST_BYTES} bytes")
    return body
