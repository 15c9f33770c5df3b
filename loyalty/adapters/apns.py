"""Apple's push service: an empty message to a phone, which then asks by itself what has changed.

One connection for all phones, kept for as long as the process lives. A push carries nothing, so twice does no harm.
"""

import ssl
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import SystemRandom

import httpx2

from loyalty.adapters import Held, Paced, Unavailable
from loyalty.adapters.apns_answers import Verdict, gone_at, retry_after, verdict, words
from loyalty.adapters.apns_token import ProviderToken

# A change of a card is worth knowing for as long as the card is looked at now and then.
KEPT_SECONDS = 30 * 24 * 3600
# All of one job, well within the lease of its row.
JOB_SECONDS = 40.0
PAUSE_SECONDS = 300.0

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 10.0
# A connection that Apple closes is opened again at once; the outbox tries later what fails more often.
_TRIES = 3
_FIRST_GAP = 0.2
# Bad tokens are believed only while most are good: else topic or address are wrong, and no phone is to blame.
_WINDOW = 200
_ALWAYS_BELIEVED = 3


@dataclass(slots=True)
class Pushed:
    """What came of a batch: who was told, who is gone and since when, and what stopped the rest.

    `away`: nobody was told, and it was Apple or the way there that failed, not one of the phones.
    """

    accepted: list[str] = field(default_factory=list)
    gone: dict[str, datetime] = field(default_factory=dict)
    trouble: Unavailable | None = None
    away: bool = False


class Away(Unavailable):
    """Apple does not answer, or says that it cannot serve anybody now."""


class ApnsPusher:
    """Pushes for one pass type. Threads may share it."""

    def __init__(
        self,
        *,
        url: str,
        topic: str,
        certificate_file: Path,
        key_file: Path,
        token: ProviderToken | None = None,
        trusted_file: Path | None = None,
        wait: Callable[[float], None] = time.sleep,
        answer_seconds: float = _ANSWER_SECONDS,
    ) -> None:
        self._url = url.rstrip("/")
        self._topic = topic
        self._token = token
        self._wait = wait
        self._timeout = httpx2.Timeout(answer_seconds, connect=min(_CONNECT_SECONDS, answer_seconds))
        self._trust = ssl.create_default_context(cafile=str(trusted_file) if trusted_file else None)
        if token is None:
            self._trust.load_cert_chain(certificate_file, key_file)
        self._lock = threading.Lock()
        self._client: httpx2.Client | None = None
        self._bad: deque[bool] = deque(maxlen=_WINDOW)
        self._paused_until = 0.0
        self._pause_reason = ""
        self._random = SystemRandom()

    def push(self, tokens: Iterable[str], at: datetime) -> Pushed:
        """Tell phones, one after the other; `at` is when their tokens were read."""
        done = Pushed()
        ends = time.monotonic() + JOB_SECONDS
        for token in tokens:
            try:
                self._check_pause()
                if time.monotonic() > ends:
                    raise Paced("more phones than one job can tell", retry_after=1.0)
                self._push_one(token, at, done)
            except Unavailable as error:
                # A phone that cannot be told now must not keep the others from it, but a pause is for all.
                done.trouble = done.trouble or error
                if isinstance(error, Held):
                    break
        done.away = isinstance(done.trouble, Away) and not done.accepted
        return done

    def pauses(self) -> bool:
        """Whether nobody is told for now, because certificate, topic or address are wrong."""
        return self._paused_until > time.monotonic()

    def close(self) -> None:
        """Let the connection go."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()

    def _push_one(self, token: str, at: datetime, done: Pushed) -> None:
        answer = self._ask(token)
        match verdict(answer):
            case Verdict.ACCEPTED:
                self._bad.append(False)
                done.accepted.append(token)
            case Verdict.GONE:
                done.gone[token] = gone_at(answer) or at
            case Verdict.BAD_TOKEN:
                self._bad.append(True)
                self._believe(answer)
                done.gone[token] = at
            case Verdict.MISCONFIGURED | Verdict.NEW_TOKEN:
                self._pause(words(answer))
                self._check_pause()
            case Verdict.LATER:
                kind = Away if answer.status_code >= 500 else Unavailable
                raise kind(words(answer), retry_after=retry_after(answer))

    def _ask(self, token: str) -> httpx2.Response:
        """Send one push, on a new connection where the old one has ended."""
        for tries in range(1, _TRIES + 1):
            client = self._connected()
            try:
                answer = client.post(f"{self._url}/3/device/{token}", content=b"{}", headers=self._headers())
            except (httpx2.HTTPError, ssl.SSLError, OSError, RuntimeError) as error:
                self._drop(client)
                if tries == _TRIES:
                    raise Away(f"{type(error).__name__}: {error}") from error
                self._wait(self._random.uniform(0, _FIRST_GAP * 2**tries))
                continue
            if verdict(answer) is Verdict.NEW_TOKEN and self._token is not None and tries < _TRIES:
                self._token.renew()
                continue
            return answer
        raise Unavailable("no answer")

    def _headers(self) -> dict[str, str]:
        headers = {
            "apns-topic": self._topic,
            "apns-id": str(uuid.uuid4()),
            "apns-expiration": str(int(time.time()) + KEPT_SECONDS),
        }
        if self._token is not None:
            headers["authorization"] = f"bearer {self._token.current(datetime.now(UTC))}"
        return headers

    def _connected(self) -> httpx2.Client:
        with self._lock:
            if self._client is None:
                self._client = httpx2.Client(http2=True, http1=False, verify=self._trust, timeout=self._timeout)
            return self._client

    def _drop(self, client: httpx2.Client) -> None:
        """Forget a connection that failed, unless another thread has replaced it already."""
        with self._lock:
            if self._client is client:
                self._client = None
        client.close()

    def _believe(self, answer: httpx2.Response) -> None:
        """Refuse to forget phones where too many tokens are bad, or none was good yet."""
        bad, seen = sum(self._bad), len(self._bad)
        if bad > _ALWAYS_BELIEVED and bad * 20 > seen:
            self._pause(f"{words(answer)} for {bad} of the last {seen} phones")
            self._check_pause()
        if bad == seen:
            raise Unavailable(f"{words(answer)}, not believed before another phone was told")

    def _pause(self, reason: str) -> None:
        self._paused_until, self._pause_reason = time.monotonic() + PAUSE_SECONDS, reason

    def _check_pause(self) -> None:
        left = self._paused_until - time.monotonic()
        if left > 0:
            raise Held(f"pushes pause; look at certificate, topic and address: {self._pause_reason}", retry_after=left)
