"""Why a delivery did not arrive: what is stored in English is found again, and said in the reader's language."""

import pytest
from flask import Flask
from flask_babel import force_locale

from loyalty.domain import troubles
from loyalty.domain.troubles import Trouble
from loyalty.web.trouble_words import trouble_words

EXAMPLES = {
    "No answer within 5 seconds.": Trouble(troubles.NO_ANSWER, {"seconds": "5"}),
    "Not sent: a.example leads to 10.0.0.1, which is not on the public internet.": Trouble(
        troubles.NOT_PUBLIC, {"host": "a.example", "address": "10.0.0.1"}
    ),
    "The name cannot be looked up: [Errno -2] Name or service not known": Trouble(
        troubles.NOT_FOUND, {"reason": "Name or service not known"}
    ),
    "answered 500": Trouble(troubles.ANSWERED, {"status": "500"}),
    "ConnectionRefusedError: [Errno 111] Connection refused": Trouble(
        "The connection was refused: nobody listens there.", {"reason": "Connection refused"}
    ),
    "SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate": (
        Trouble(
            "The certificate is not trusted: %(reason)s",
            {"reason": "certificate verify failed: self-signed certificate"},
        )
    ),
    "RemoteDisconnected: Remote end closed connection\nwithout response": Trouble(
        "The connection was cut before an answer came.", {"reason": "Remote end closed connection\nwithout response"}
    ),
    "The answer is too long.": Trouble(troubles.TOO_LONG),
}


@pytest.mark.parametrize("text", EXAMPLES)
def test_it_finds_the_sentence_and_what_fills_it(text: str) -> None:
    assert troubles.find(text) == EXAMPLES[text]


@pytest.mark.parametrize("text", ["", "550 5.1.1 no such mailbox", "It answered.", "No answer within 5 seconds. 100%"])
def test_it_leaves_the_words_of_others_alone(app: Flask, text: str) -> None:
    assert troubles.find(text) is None
    with app.test_request_context():
        assert trouble_words(text) == text


@pytest.mark.parametrize("text", EXAMPLES)
def test_it_says_it_with_all_that_is_known(app: Flask, text: str) -> None:
    with app.test_request_context(), force_locale("en"):
        said = trouble_words(text)
    assert "%(" not in said
    expected = EXAMPLES[text]
    assert all(value in said for name, value in expected.values.items() if f"%({name})s" in expected.sentence)
