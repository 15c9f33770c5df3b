"""Apple passes a second on one core, beside the RSA signatures that the same core makes in the same run."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from loyalty.domain.colours import fg
from loyalty.domain.values import LoyaltyType, PassContent
from loyalty.wallets.apple import ApplePasses, ApplePassFacts, StoreFacts
from loyalty.wallets.dev_certificates import make_dev_certificates

BATCH = 50
COLOUR = "#1F4FD1"


@dataclass(frozen=True, slots=True)
class PassRates:
    """What was measured; rates are per second of processor time, so that a busy machine blurs them less."""

    passes: float
    signatures: float
    bytes_each: int

    @property
    def ratio(self) -> float:
        """How much of the bare signing rate is left with everything around it."""
        return self.passes / self.signatures


def measure(seconds: float = 4.0) -> PassRates:
    """Sign bare manifests and make whole passes in turns, so that a slow moment hits both alike."""
    with tempfile.TemporaryDirectory() as folder:
        passes = _passes(Path(folder))
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    manifest = b"m" * 1000

    cards = [(_content(number), _facts(number)) for number in range(BATCH)]

    def make(number: int) -> None:
        passes.make(*cards[number])

    def sign(_number: int) -> None:
        key.sign(manifest, padding.PKCS1v15(), hashes.SHA256())

    # Every picture once: a program's strips are drawn when the first card needs them.
    for number in range(BATCH):
        make(number)
    spent, rounds, until = [0.0, 0.0], 0, time.perf_counter() + seconds
    while time.perf_counter() < until:
        spent = [sum_ + _batch(work) for sum_, work in zip(spent, (make, sign), strict=True)]
        rounds += 1
    done = rounds * BATCH
    return PassRates(done / spent[0], done / spent[1], len(passes.make(*cards[4])))


def _batch(work: Callable[[int], None]) -> float:
    began = time.process_time()
    for number in range(BATCH):
        work(number)
    return time.process_time() - began


def _passes(folder: Path) -> ApplePasses:
    now = datetime.now(UTC)
    made = make_dev_certificates(folder, now)
    return ApplePasses(
        certificate_file=made.certificate,
        key_file=made.key,
        wwdr_file=made.wwdr,
        pass_type_id=made.pass_type_id,
        team_id=made.team_id,
        web_service_url="https://cards.example/apple",
        at=now,
    )


def _content(number: int) -> PassContent:
    return PassContent(
        vendor_name="Café Um Eck",
        card_name="Coffee card",
        color=COLOUR,
        foreground=fg(COLOUR),
        loyalty_type=LoyaltyType.HYBRID,
        stamp_count=number % 11,
        stamps_target=10,
        stamps_reward="One coffee of your choice",
        points_balance=number * 37,
        points_goal=5000,
        points_reward="A bag of beans",
        card_number=f"{number:010d}",
        scan_code="BCDEFGHJKNPRSTVX",
    )


def _facts(number: int) -> ApplePassFacts:
    return ApplePassFacts(
        serial=f"serial-{number}",
        auth_token=f"{number:043d}",
        locale=("en", "fr", "de", "lb")[number % 4],
        stores=(StoreFacts("Um Eck", "1, Rue de la Gare", 49.6, 6.13), StoreFacts("Um Bierg", "", 49.7, 6.1)),
        terms="One stamp for each coffee. " * 20,
    )


def main() -> None:
    """Print the figures."""
    rates = measure()
    print(
        f"Apple passes: {rates.passes:,.0f} a second on one core, {rates.bytes_each:,} bytes each; "
        f"bare RSA-2048 signatures: {rates.signatures:,.0f}; ratio {rates.ratio:.2f}."
    )


if __name__ == "__main__":
    main()
