"""20,000 callbacks that nobody wrote: each is refused in words of its own, or is one that Google signed for us."""

import json
import random
from collections.abc import Callable

from loyalty.wallets.google_callback import CallbackRefused, verify
from loyalty.wallets.google_facts import is_id
from tests import google_signer as google
from tests.memory import resident
from tests.wallets.test_google_callback import ROOTS

GENUINE = [
    google.message(nonce="n-1"),
    google.message(nonce="n-2", event="del", shop="Bäckerei 🥐"),
    google.message(nonce="n-3", object_id=f"{google.ISSUER}.card-2"),
]
BODIES = [google.callback(signed_message=told) for told in GENUINE]
FOREIGN = google.callback(recipient="3388000000099999999")
JUNK: list[object] = [
    None,
    True,
    0,
    -1,
    1e300,
    10**40,
    "",
    "A",
    "\x00",
    "\ud800",
    "=" * 8,
    "é" * 90,
    [],
    {},
    [[]],
    {"": None},
    "save",
    google.PROTOCOL,
    google.ISSUER,
]
ROUNDS = 20_000
# After the first rounds everything is loaded; from then on nothing may pile up.
WARM = 4_000
MOST_GROWTH = 20 * 1024 * 1024


def _bytes_changed(chance: random.Random) -> bytes:
    """A genuine body with a few bytes flipped, dropped, doubled or taken from another one."""
    body = bytearray(chance.choice([*BODIES, FOREIGN]))
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(body))
        match chance.randrange(4):
            case 0:
                body[place] ^= 1 << chance.randrange(8)
            case 1:
                del body[place : place + chance.randint(1, 40)]
            case 2:
                body[place:place] = chance.randbytes(chance.randint(1, 6))
            case _:
                body[place:] = chance.choice(BODIES)[place:]
        if not body:
            break
    return bytes(body)


def _members_changed(chance: random.Random) -> bytes:
    """A genuine envelope with members replaced by junk, or mixed from two genuine ones."""
    body = json.loads(chance.choice(BODIES))
    other = json.loads(chance.choice([*BODIES, FOREIGN]))
    target, source = body, other
    if chance.random() < 0.4:
        target, source = body["intermediateSigningKey"], other["intermediateSigningKey"]
    for name in chance.sample(list(target), chance.randint(1, len(target))):
        target[name] = chance.choice([source[name], chance.choice(JUNK), [target[name]], str(target[name])[::-1]])
    if chance.random() < 0.1:
        target[chance.choice(["more", "signature", "x"])] = chance.choice(JUNK)
    return json.dumps(body).encode()


def _text_changed(chance: random.Random, text: str) -> str:
    letters = list(text)
    for _ in range(chance.randint(1, 3)):
        place = chance.randrange(len(letters))
        letters[place] = chance.choice(["", '"', "{", "\\", "0", "9", ".", "\x00", "\u0663", "🥐", letters[place] * 2])
    return "".join(letters)


def _signed_anyway(chance: random.Random) -> bytes:
    """A chain that holds, over texts that Google would not write."""
    told = chance.choice(GENUINE)
    if chance.random() < 0.5:
        told = _text_changed(chance, told)
    else:
        described = json.loads(told)
        for name in chance.sample(list(described), chance.randint(1, 3)):
            described[name] = chance.choice([value for value in JUNK if value != "\ud800"])
        told = json.dumps(described)
    key = google.signed_key()
    if chance.random() < 0.3:
        key = _text_changed(chance, key)
    return google.callback(signed_message=told, key=key)


def _forged(chance: random.Random) -> bytes:
    """A chain that a stranger signed, wholly or from some link on."""
    told = google.message(nonce=f"forged-{chance.random()}", object_id=f"{google.ISSUER}.card-{chance.randrange(9)}")
    stranger = google.OTHER_ROOT
    forgeries: list[Callable[[], bytes]] = [
        lambda: google.callback(signed_message=told, root=stranger),
        lambda: google.callback(signed_message=told, intermediate=stranger),
        lambda: google.callback(signed_message=told, recipient=f"merchant:{google.ISSUER}"),
        lambda: google.callback(signed_message=told, sender="Google"),
        lambda: google.callback(signed_message=told, key=google.signed_key(expires_at=google.NOW)),
    ]
    return chance.choice(forgeries)()


# Which of them may hold a chain over a text that is not in GENUINE.
MAKERS: list[tuple[Callable[[random.Random], bytes], bool]] = [
    (_bytes_changed, False),
    (_members_changed, False),
    (_signed_anyway, True),
    (_forged, False),
]


def test_it_survives_twenty_thousand_callbacks_and_believes_no_forged_one() -> None:
    chance = random.Random(20261120)
    refused: set[str] = set()
    believed = warm = 0
    for number in range(ROUNDS):
        if number == WARM:
            warm = resident()
        make, signs = MAKERS[number % len(MAKERS)]
        body = make(chance)
        try:
            told = verify(body=body, roots=ROOTS, issuer_id=google.ISSUER, at=google.NOW)
        except CallbackRefused as refusal:
            refused.add(refusal.reason)
            continue
        believed += 1
        assert signs or json.loads(body)["signedMessage"] in GENUINE, body
        assert told.expires_at > google.NOW
        assert is_id(text=told.object_id, issuer_id=google.ISSUER)
        assert is_id(text=told.class_id, issuer_id=google.ISSUER)
    assert resident() - warm < MOST_GROWTH
    assert refused == {
        "envelope",
        "intermediate-signature",
        "intermediate-key",
        "intermediate-expired",
        "message-signature",
        "message-expired",
        "message",
        "ids",
    }
    # Some changes leave a genuine message as it was; were all refused, the test would prove nothing.
    assert 0 < believed < ROUNDS / 10
