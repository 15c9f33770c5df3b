"""Google Wallet's REST interface: classes and objects, written so that twice is the same as once.

Every write says how a card is now, so after a timeout it is simply made again: insert, and patch what exists.
"""

import json
import threading
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from http import HTTPStatus
from urllib.parse import quote

import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession, Request
from google.oauth2 import service_account

from loyalty.adapters import Paced, Rejected, Unavailable
from loyalty.adapters.google_answers import refusal
from loyalty.adapters.token_bucket import LocalBucket, SharedBucket, TokenBucket
from loyalty.wallets.google import Json, class_patch, object_patch

SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"
# Google allows an issuer 20 calls a second; the burst keeps the worst second at 19.
CALLS_PER_SECOND = 15.0
BURST = 4
# What each process allows itself while it cannot ask Redis: four of them still stay under Google's limit.
CALLS_ALONE = 4.0

_CONNECT_SECONDS = 3.0
_ANSWER_SECONDS = 10.0
# All of one call, with a new token and a second try: well within the lease of a row of the outbox.
_CALL_SECONDS = 25.0
# A worker stands still for so long at most; mails must not wait behind a thousand passes.
_LONGEST_WAIT = 1.0
# An access token is worth an hour; the transport renews it before it runs out.
_REFRESHES = 1


class Kind(StrEnum):
    """The two collections; the values are their names in addresses."""

    CLASS = "loyaltyClass"
    OBJECT = "loyaltyObject"


class Written(StrEnum):
    """What a write came to."""

    INSERTED = "inserted"
    PATCHED = "patched"


class ClassMissing(Unavailable):
    """The object's class is not at Google yet: write the class, then this again."""


def make_google_api(*, account: Mapping[str, str], base_url: str, issuer_id: str, redis_url: str) -> "GoogleApi":
    """Build what speaks to Google for this issuer, at one speed with all other workers."""
    alone = LocalBucket(rate=CALLS_ALONE, burst=1)
    name = f"google:{issuer_id}"
    bucket = SharedBucket(redis_url=redis_url, name=name, rate=CALLS_PER_SECOND, burst=BURST, alone=alone)
    return GoogleApi(account=account, base_url=base_url, bucket=bucket)


class GoogleApi:
    """Speaks for one issuer. Keeps its connection and its access token between calls; threads may share it."""

    def __init__(
        self,
        *,
        account: Mapping[str, str],
        base_url: str,
        bucket: TokenBucket,
        wait: Callable[[float], None] = time.sleep,
        answer_seconds: float = _ANSWER_SECONDS,
    ) -> None:
        self._credentials = service_account.Credentials.from_service_account_info(dict(account), scopes=[SCOPE])
        self._base_url = base_url.rstrip("/")
        self._bucket = bucket
        self._wait = wait
        self._seconds = (min(_CONNECT_SECONDS, answer_seconds), answer_seconds)
        # A session of requests belongs to one thread.
        self._local = threading.local()

    def put_class(self, described: Json, *, known: bool) -> Written:
        """Make the class as described. `known`: it was written before, so a change is tried first."""
        return self._put(Kind.CLASS, described, class_patch(described), known=known)

    def put_object(self, described: Json, *, known: bool, notify: bool = False) -> Written:
        """Make the object as described. `known`: it was written before; `notify`: Google may tell the customer."""
        return self._put(Kind.OBJECT, described, object_patch(described, notify=notify), known=known)

    def find(self, kind: Kind, resource_id: str) -> Json | None:
        """Return a class or object as Google knows it, `hasUsers` among the rest; None where it knows none."""
        answer = self._call("GET", self._address(kind, resource_id))
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        _check(answer)
        try:
            found = answer.json()
        except ValueError as error:
            raise Unavailable("an answer that is not JSON") from error
        if not isinstance(found, dict):
            raise Unavailable("an answer that is not an object")
        return found

    def _put(self, kind: Kind, described: Json, patch: Json, *, known: bool) -> Written:
        if known and self._patch(kind, described, patch):
            return Written.PATCHED
        if self._insert(kind, described):
            return Written.INSERTED
        if not known and self._patch(kind, described, patch):
            return Written.PATCHED
        # It was missing for one call and there for the next: Google's own copies do not agree yet.
        raise Unavailable(f"{described['id']} is there and missing at the same time")

    def _patch(self, kind: Kind, described: Json, patch: Json) -> bool:
        answer = self._call("PATCH", self._address(kind, str(described["id"])), patch)
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return False
        _check(answer)
        return True

    def _insert(self, kind: Kind, described: Json) -> bool:
        answer = self._call("POST", self._address(kind), described)
        if answer.status_code == HTTPStatus.CONFLICT:
            return False
        if kind is Kind.OBJECT and answer.status_code == HTTPStatus.NOT_FOUND:
            raise ClassMissing(f"the class {described['classId']} of {described['id']} does not exist")
        _check(answer)
        return True

    def _call(self, method: str, address: str, body: Json | None = None) -> requests.Response:
        """Make one call, at the speed all workers share. What Google does not answer may be asked again."""
        self._take_turn()
        data = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        try:
            answer: requests.Response = self._session().request(
                method,
                address,
                data=data,
                headers={"Content-Type": "application/json; charset=utf-8"} if data else None,
                timeout=self._seconds,
                max_allowed_time=_CALL_SECONDS,
                allow_redirects=False,
            )
        except (requests.RequestException, OSError) as error:
            raise Unavailable(f"{type(error).__name__}: {error}") from error
        except GoogleAuthError as error:
            # No token: a wrong key or clock is the platform's trouble, not the card's, so it is tried again.
            raise Unavailable(f"no access token: {error}") from error
        if answer.status_code == HTTPStatus.TOO_MANY_REQUESTS:
            self._slow_down(answer)
        return answer

    def _take_turn(self) -> None:
        seconds = self._bucket.take(_LONGEST_WAIT)
        if seconds < 0:
            raise Paced("more passes than Google takes in a second", retry_after=-seconds)
        if seconds > 0:
            self._wait(seconds)

    def _slow_down(self, answer: requests.Response) -> None:
        """Keep all workers away for as long as Google says, or for a second."""
        refused = refusal(answer)
        self._bucket.pause((isinstance(refused, Unavailable) and refused.retry_after) or 1.0)

    def _session(self) -> AuthorizedSession:
        session: AuthorizedSession | None = getattr(self._local, "session", None)
        if session is None:
            session = AuthorizedSession(
                self._credentials, max_refresh_attempts=_REFRESHES, auth_request=Request(requests.Session())
            )
            self._local.session = session
        return session

    def _address(self, kind: Kind, resource_id: str = "") -> str:
        address = f"{self._base_url}/{kind}"
        return f"{address}/{quote(resource_id, safe='')}" if resource_id else address


def _check(answer: requests.Response) -> None:
    if not 200 <= answer.status_code < 300:
        refused: Unavailable | Rejected = refusal(answer)
        raise refused
