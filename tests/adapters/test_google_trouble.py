"""Google's REST interface with everything that goes wrong there."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import redis

from config import Config
from loyalty.adapters import Rejected, Unavailable
from loyalty.adapters.google_api import GoogleApi, Written, make_google_api
from loyalty.adapters.token_bucket import LocalBucket
from loyalty.wallets.google import class_json, object_json
from loyalty.wallets.google_facts import CardFacts
from tests.google_cards import BAKERY, CARD, CONTENT, balance, make_api, stamps, with_class
from tests.google_fake import GoogleFake, Trouble, google_server
from tests.google_signer import ISSUER


def test_it_uses_one_token_and_one_connection_for_many_calls(google: GoogleFake, api: GoogleApi) -> None:
    with_class(google, api)
    for count in range(10):
        api.put_object(stamps(count), known=count > 0)
    assert google.tokens_given == 1
    assert len(google.connections) == 1


def test_it_gets_a_new_token_when_the_old_one_is_refused(google: GoogleFake, api: GoogleApi) -> None:
    with_class(google, api)
    google.forget_tokens()
    assert api.put_object(stamps(1), known=False) is Written.INSERTED
    assert google.tokens_given == 2


def test_it_gets_a_new_token_once_and_not_for_ever(google: GoogleFake, api: GoogleApi) -> None:
    with_class(google, api)
    google.trouble.extend([Trouble(status=401, message="Who are you?")] * 9)
    with pytest.raises(Unavailable, match="401 Who are you"):
        api.put_object(stamps(1), known=False)
    assert google.tokens_given == 2
    assert len(google.calls) == 2


def test_it_tries_later_when_it_gets_no_token(google: GoogleFake) -> None:
    stranger = google.account() | {"client_email": "mallory@next.door"}
    api = GoogleApi(account=stranger, base_url=google.wallet_url, bucket=LocalBucket(rate=1e6, burst=9))
    with pytest.raises(Unavailable, match=r"no access token.*Invalid JWT Signature"):
        api.put_object(stamps(1), known=False)
    assert google.calls == []


def test_it_leaves_google_alone_for_as_long_as_it_asks(google: GoogleFake) -> None:
    now = [100.0]
    bucket = LocalBucket(rate=15, burst=4, now=lambda: now[0])
    api = make_api(google, bucket)
    google.trouble.append(Trouble(status=429, message="Slow down.", headers={"Retry-After": "7"}))
    with pytest.raises(Unavailable, match="429 Slow down") as refused:
        api.put_class(class_json(BAKERY), known=False)
    assert refused.value.retry_after == 7
    with pytest.raises(Unavailable, match="more passes") as refused:
        api.put_class(class_json(BAKERY), known=False)
    assert refused.value.retry_after == pytest.approx(7)
    assert len(google.calls) == 1
    now[0] += 7
    assert api.put_class(class_json(BAKERY), known=False) is Written.INSERTED


@pytest.mark.parametrize("status", [408, 412, 429, 500, 502, 503, 504, 302])
def test_it_tries_later_what_google_cannot_take_now(status: int, google: GoogleFake, api: GoogleApi) -> None:
    google.trouble.append(Trouble(status=status, message="Backend Error"))
    with pytest.raises(Unavailable, match=f"{status} Backend Error"):
        api.put_class(class_json(BAKERY), known=True)
    assert google.classes == {}


def test_it_tells_speed_from_rights(google: GoogleFake, api: GoogleApi) -> None:
    google.trouble.append(Trouble(status=403, message="Quota exceeded.", reason="rateLimitExceeded"))
    with pytest.raises(Unavailable, match="403 Quota exceeded"):
        api.put_class(class_json(BAKERY), known=False)


def test_it_gives_up_with_googles_own_words(google: GoogleFake, api: GoogleApi) -> None:
    with pytest.raises(Rejected, match=r"400 Invalid image URI\."):
        api.put_class(class_json(replace(BAKERY, logo_url="http://cards.example/logo.png")), known=False)
    google.issuer_id = "3388000000099999999"
    with pytest.raises(Rejected, match=r"403 Permission denied for issuer of 3388000000012345678\.program-1"):
        api.put_class(class_json(BAKERY), known=False)


def test_it_tries_later_when_objects_are_there_and_missing(google: GoogleFake, api: GoogleApi) -> None:
    with_class(google, api)
    api.put_object(stamps(1), known=False)
    google.trouble.append(Trouble(status=404, message="not found"))
    with pytest.raises(Unavailable, match="there and missing"):
        api.put_object(stamps(2), known=True)


def test_it_survives_slowness(google: GoogleFake, api: GoogleApi) -> None:
    with_class(google, api)
    hasty = make_api(google, answer_seconds=0.3)
    google.trouble.append(Trouble(seconds=0.6))
    with pytest.raises(Unavailable):
        hasty.put_object(stamps(1), known=False)
    assert api.put_object(stamps(2), known=False) in Written
    assert balance(google) == {"string": "2/10"}


def test_it_survives_a_connection_that_dies_before_the_answer(google: GoogleFake, api: GoogleApi) -> None:
    with_class(google, api)
    google.trouble.append(Trouble(close=True))
    with pytest.raises(Unavailable, match="ConnectionError"):
        api.put_object(stamps(1), known=False)
    assert api.put_object(stamps(1), known=False) is Written.INSERTED


def test_it_makes_a_lost_write_again_without_harm(google: GoogleFake, api: GoogleApi) -> None:
    with_class(google, api)
    google.trouble.append(Trouble(close=True, after=True))
    with pytest.raises(Unavailable):
        api.put_object(stamps(1), known=False)
    assert balance(google) == {"string": "1/10"}
    assert api.put_object(stamps(2), known=False) is Written.PATCHED
    assert balance(google) == {"string": "2/10"}


def test_it_tries_later_when_nobody_listens() -> None:
    with google_server() as gone:
        api = make_api(gone)
        api.put_class(class_json(BAKERY), known=False)
    with pytest.raises(Unavailable, match="ConnectionError"):
        api.put_class(class_json(BAKERY), known=True)


def test_it_makes_no_call_without_a_token_of_the_bucket(google: GoogleFake) -> None:
    bucket = LocalBucket(rate=0.01, burst=1)
    api = make_api(google, bucket)
    api.put_class(class_json(BAKERY), known=False)
    with pytest.raises(Unavailable, match="more passes") as refused:
        api.put_class(class_json(BAKERY), known=True)
    assert refused.value.retry_after == pytest.approx(100, abs=60)
    assert len(google.calls) == 1


def test_it_waits_its_turn_where_that_is_short(google: GoogleFake) -> None:
    waited: list[float] = []
    bucket = LocalBucket(rate=2, burst=1, now=lambda: 0.0)
    api = GoogleApi(account=google.account(), base_url=google.wallet_url, bucket=bucket, wait=waited.append)
    for known in (False, True, True):
        api.put_class(class_json(BAKERY), known=known)
    assert waited == [0.5, 1.0]


def test_it_may_be_shared_by_threads(google: GoogleFake, api: GoogleApi) -> None:
    with_class(google, api)
    facts = [replace(CARD, object_id=f"{ISSUER}.card-{number}") for number in range(40)]
    start = threading.Barrier(8)

    def put(mine: list[CardFacts]) -> list[Written]:
        start.wait(60)
        return [api.put_object(object_json(CONTENT, one), known=False) for one in mine]

    with ThreadPoolExecutor(8) as pool:
        written = [one for done in pool.map(put, [facts[number::8] for number in range(8)]) for one in done]
    assert written == [Written.INSERTED] * 40
    assert len(google.objects) == 40
    assert google.tokens_given <= 8


def test_it_keeps_all_workers_together_at_one_speed(google: GoogleFake, config: Config, valkey: redis.Redis) -> None:
    valkey.delete(f"loyalty:bucket:google:{ISSUER}")
    workers = [
        make_google_api(
            account=google.account(), base_url=google.wallet_url, issuer_id=ISSUER, redis_url=config.redis_url
        )
        for _ in range(3)
    ]
    with_class(google, workers[0])
    workers[0].put_object(stamps(0), known=False)
    before, began = len(google.calls), time.monotonic()

    def work(worker: GoogleApi) -> None:
        for count in range(8):
            worker.put_object(stamps(count), known=True)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(work, workers))
    # 24 patches at 15 a second, less the burst.
    made = len(google.calls) - before
    assert made >= 24
    assert time.monotonic() - began >= (made - 4) / 15 - 0.1
