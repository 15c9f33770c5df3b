"""Sending webhooks: to the address that was checked and nowhere else, within the time, whatever comes back."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from loyalty.adapters.webhook import MOST_BYTES, WebhookSender
from loyalty.domain import troubles
from loyalty.domain.webhooks import Answer, is_public
from tests.webhook_receiver import Receiver, listening, make_certificate

PRIVATE = (
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.127.255.254",
    "127.0.0.1",
    "127.1.2.3",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "64:ff9b::808:808",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:808:808::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "2a00:1450:4001::1%eth0",
    "fec0::1",
    "ff02::1",
    "nonsense",
    "",
)
PUBLIC = (
    "8.8.8.8",
    "1.1.1.1",
    "93.184.216.34",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
)
HEADERS = {"webhook-id": "one", "webhook-timestamp": "1", "webhook-signature": "v1,abc"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening() as running:
        yield running


class Names:
    """A resolver whose answers are written down, and a connector that may not connect."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.connected: list[tuple[str, int]] = []

    def resolve(self, host: str, port: int) -> list[str]:
        return self.answers.pop(0)

    def connect(self, address: str, port: int, seconds: float) -> socket.socket:
        self.connected.append((address, port))
        raise ConnectionRefusedError(address)


def send(sender: WebhookSender, url: str) -> Answer:
    answer = sender.send(url=url, body=b'{"a":1}', headers=HEADERS)
    # Whatever went wrong has a sentence that can be translated.
    assert not answer.error or troubles.find(answer.error), answer.error
    return answer


@pytest.mark.parametrize("address", PRIVATE)
def test_it_connects_to_nothing_that_is_not_public(address: str) -> None:
    names = Names([address])
    answer = send(WebhookSender(resolve=names.resolve, connect=names.connect), "https://hooks.example/in")
    assert (answer.status, names.connected) == (None, [])
    assert "not on the public internet" in answer.error


@pytest.mark.parametrize("address", PUBLIC)
def test_it_connects_to_public_addresses_as_they_were_checked(address: str) -> None:
    names = Names([address])
    send(WebhookSender(resolve=names.resolve, connect=names.connect), "https://hooks.example/in")
    assert names.connected == [(address, 443)]


def test_it_refuses_all_addresses_of_a_name_that_has_a_private_one() -> None:
    names = Names(["8.8.8.8", "10.0.0.1"])
    assert send(WebhookSender(resolve=names.resolve, connect=names.connect), "https://hooks.example/").status is None
    assert names.connected == []


def test_it_looks_a_name_up_once_so_that_it_cannot_lead_elsewhere_a_moment_later() -> None:
    names = Names(["8.8.8.8"], ["127.0.0.1"])
    sender = WebhookSender(resolve=names.resolve, connect=names.connect)
    send(sender, "https://hooks.example/in")
    assert names.connected == [("8.8.8.8", 443)]
    send(sender, "https://hooks.example/in")
    assert names.connected == [("8.8.8.8", 443)]


def test_it_knocks_at_the_next_address_where_one_is_closed() -> None:
    names = Names(["8.8.8.8", "1.1.1.1"])
    assert (
        "ConnectionRefusedError"
        in send(WebhookSender(resolve=names.resolve, connect=names.connect), "https://hooks.example/").error
    )
    assert names.connected == [("8.8.8.8", 443), ("1.1.1.1", 443)]


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/",
        "https://hooks.example:8443/",
        "https://ada:secret@hooks.example/",
        "https://@hooks.example/",
        "ftp://hooks.example/",
        "https://localhost/",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://[::ffff:8.8.8.8]/",
        "https://printer.local/",
        "https://intranet/",
        "https://hooks.example/a b",
        "https://hooks.example/\r\nHost: x",
        "https://hooks.example\\@127.0.0.1/",
        "https:///",
        "https://hooks.example:0/",
        "https://hooks.example:99999/",
        "https://höoks.example/",
        "",
    ],
)
def test_it_looks_nothing_up_for_addresses_it_would_not_take(url: str) -> None:
    names = Names()
    answer = send(WebhookSender(resolve=names.resolve, connect=names.connect), url)
    assert (answer.status, names.connected) == (None, [])
    assert answer.error


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "017700000001", "127.1"])
def test_it_is_not_fooled_by_other_ways_to_write_an_address(host: str) -> None:
    names = Names(["127.0.0.1"])
    assert send(WebhookSender(resolve=names.resolve, connect=names.connect), f"https://{host}/").status is None
    assert names.connected == []


def test_it_posts_the_body_and_reads_the_answer(receiver: Receiver) -> None:
    answer = send(WebhookSender(allowed=[receiver.place]), receiver.url)
    assert (answer.status, answer.text, answer.error, answer.is_success) == (200, "thank you", "", True)
    (got,) = receiver.received
    assert (got.path, got.body) == ("/hooks?shop=bakery", b'{"a":1}')
    assert got.headers["Host"] == receiver.place
    assert got.headers["Content-Type"] == "application/json"
    assert got.headers["User-Agent"].startswith("Loyalty-Webhooks")
    assert HEADERS.items() <= got.headers.items()


def test_it_opens_a_private_place_by_name_and_port_only(receiver: Receiver) -> None:
    for allowed in ((), ("127.0.0.1:1",), (f"localhost:{receiver.port}",), ("127.0.0.1",)):
        assert send(WebhookSender(allowed=allowed), receiver.url).status is None
    assert receiver.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_it_follows_no_redirect(receiver: Receiver, status: int) -> None:
    with listening() as other:
        receiver.status, receiver.headers = status, {"Location": other.url}
        answer = send(WebhookSender(allowed=[receiver.place, other.place]), receiver.url)
    assert (answer.status, answer.is_success) == (status, False)
    assert (len(receiver.received), other.connections) == (1, 0)


@pytest.mark.parametrize("way", ["stall", "drip"])
def test_it_waits_so_long_and_no_longer(receiver: Receiver, way: str) -> None:
    receiver.stall, receiver.drip, receiver.answer = way == "stall", way == "drip", b"x" * 1000
    start = time.monotonic()
    answer = send(WebhookSender(allowed=[receiver.place], seconds=0.4), receiver.url)
    assert time.monotonic() - start < 30  # it would hold the line for nearly a minute
    assert (answer.status, answer.error) == (None, "No answer within 0.4 seconds.")
    assert answer.duration_ms >= 400


def test_it_waits_no_longer_for_a_name() -> None:
    done, found = threading.Event(), threading.Event()

    def hang(host: str, port: int) -> list[str]:
        done.wait(60)
        found.set()
        return []

    try:
        answer = send(WebhookSender(resolve=hang, seconds=0.2), "https://hooks.example/")
        assert not found.is_set()
    finally:
        done.set()
    assert answer.error == "No answer within 0.2 seconds."


def test_it_keeps_the_beginning_of_a_long_answer(receiver: Receiver) -> None:
    receiver.answer = b"\x00" + "ü".encode() * (2 * MOST_BYTES)
    answer = send(WebhookSender(allowed=[receiver.place]), receiver.url)
    assert answer.is_success
    assert answer.text == "\ufffd" + "ü" * 2047


def test_it_says_what_is_wrong_with_what_is_no_answer() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = f"127.0.0.1:{server.getsockname()[1]}"
        sender = WebhookSender(allowed=[place], seconds=0.3)
        assert send(sender, f"http://{place}/").error == "No answer within 0.3 seconds."
    assert "ConnectionRefusedError" in send(sender, f"http://{place}/").error


def test_it_speaks_to_the_certificate_of_the_name_at_the_checked_address(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, "hooks.example")
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    with listening(certificate) as receiver:
        for host, status in (("hooks.example", 200), ("other.example", None)):
            place = f"{host}:{receiver.port}"
            sender = WebhookSender(allowed=[place], trust=trust, resolve=lambda host, port: ["127.0.0.1"])
            answer = send(sender, f"https://{place}/in")
            assert answer.status == status, answer.error
        strict = WebhookSender(allowed=[place], resolve=lambda host, port: ["127.0.0.1"])
        assert "SSLCertVerificationError" in send(strict, f"https://{place}/in").error
    assert [got.headers["Host"] for got in receiver.received] == [f"hooks.example:{receiver.port}"]


def test_it_counts_a_fair_number_of_addresses() -> None:
    assert len(PRIVATE) >= 40
    assert [address for address in PUBLIC if not is_public(address)] == []
