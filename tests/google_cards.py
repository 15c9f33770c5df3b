"""Ada's program and Cleo's card as Google is told about them, and what speaks to the server that plays Google."""

from dataclasses import replace

from loyalty.adapters.google_api import GoogleApi
from loyalty.adapters.token_bucket import LocalBucket, TokenBucket
from loyalty.domain.values import LoyaltyType, PassContent
from loyalty.wallets.google import Json, class_json, object_json
from loyalty.wallets.google_facts import CardFacts, ProgramFacts
from tests.google_fake import GoogleFake
from tests.google_signer import ISSUER

BAKERY = ProgramFacts(
    class_id=f"{ISSUER}.program-1",
    locale="en",
    vendor_name="Um Eck",
    card_name={"en": "Coffee card"},
    color="#4F46E5",
    logo_url="https://cards.example/logo.png",
    holder_label={"en": "Member"},
    number_label={"en": "Card number"},
)
CARD = CardFacts(
    object_id=f"{ISSUER}.card-1",
    class_id=BAKERY.class_id,
    locale="en",
    stamps_label={"en": "Stamps"},
    points_label={"en": "Points"},
)
CONTENT = PassContent(
    vendor_name="Um Eck",
    card_name="Coffee card",
    color="#4F46E5",
    foreground="#FFFFFF",
    loyalty_type=LoyaltyType.STAMPS,
    stamp_count=0,
    stamps_target=10,
    stamps_reward="Free coffee",
    points_balance=0,
    points_goal=None,
    points_reward=None,
    card_number="1234567890",
    scan_code="BCDEFGHJKNPRSTVX",
)


def make_api(google: GoogleFake, bucket: TokenBucket | None = None, answer_seconds: float = 10) -> GoogleApi:
    """Build what speaks to this server, as fast as it can unless a bucket says otherwise."""
    return GoogleApi(
        account=google.account(),
        base_url=google.wallet_url,
        bucket=bucket or LocalBucket(rate=1e6, burst=1000),
        answer_seconds=answer_seconds,
    )


def stamps(count: int) -> Json:
    """Describe the card with so many stamps."""
    return object_json(replace(CONTENT, stamp_count=count), CARD)


def balance(google: GoogleFake) -> object:
    """The balance as Google holds it."""
    return google.objects[CARD.object_id]["loyaltyPoints"]["balance"]


def with_class(google: GoogleFake, api: GoogleApi) -> None:
    """Write the class, and forget that this was a call."""
    api.put_class(class_json(BAKERY), known=False)
    google.calls.clear()
