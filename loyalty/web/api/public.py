"""What anybody may ask: a shop's program, and a card of it."""

from uuid import UUID

from pydantic import Field

from loyalty.domain.values import LoyaltyType, RequestKey
from loyalty.errors import ProgramInactive, ProgramNotFound, SelfEnrollmentDisabled, VendorSuspended
from loyalty.services import card_records, card_views, enrolment, links
from loyalty.services.card_views import DEFAULT_CARD_NAME
from loyalty.web.access import now
from loyalty.web.api.operations import operation
from loyalty.web.api.people import BirthDate, CardLinks, Email, Locale, Name, Phone, form_of
from loyalty.web.api.schemas import Answer, Body
from loyalty.web.limits import JOINING
from loyalty.web.sentences import gettext


class JoinBody(Body):
    """Who joins. The shop's `contact_field`, e-mail or phone, has to be filled."""

    email: Email | None = None
    phone: Phone | None = None
    name: Name | None = None
    birth_date: BirthDate | None = None
    locale: Locale | None = None
    accept_terms: bool = Field(examples=[True], description="The card comes with the terms: only true is taken.")
    marketing_consent: bool = Field(default=False, examples=[False])


class PublicProgram(Answer):
    """What a shop's card promises."""

    id: UUID
    type: LoyaltyType = Field(examples=["hybrid"])
    name: str = Field(examples=["Bakery Card"])
    card_color: str = Field(examples=["#4F46E5"])
    logo_url: str | None = Field(examples=["https://cards.example.com/images/0123456789abcdef0123456789abcdef.png"])
    stamps_target: int | None = Field(examples=[10], description="Null where the program gives no stamps.")
    stamps_reward: str | None = Field(examples=["Free coffee"], description="Null where the program gives no stamps.")
    points_per_euro: int | None = Field(
        examples=[10], description="Per unit of the shop's currency; null where the program gives no points."
    )
    terms_text: str = Field(examples=["One card per person."])
    privacy_url: str | None = Field(examples=["https://bakery.example.com/privacy"])


class PublicShop(Answer):
    """A shop and its program, as anybody may see them."""

    vendor_name: str = Field(examples=["Bakery"])
    vendor_code: str = Field(examples=["bakery"])
    program: PublicProgram


class Joined(CardLinks):
    """The new card."""


class LookAtMail(Answer):
    """The next step is in the mail; nothing else is told, whoever asks."""

    message: str = Field(
        examples=["We sent you the link to your card. Look at your mail, or ask at the counter."],
        description="In the language of Accept-Language, else English.",
    )


@operation(
    "GET",
    "/loyalty/programs/{vendor_code}",
    scope=None,
    answers=PublicShop,
    errors=(ProgramNotFound, ProgramInactive, VendorSuspended),
    limit_to=30,
    tag="Joining",
)
def get_public_program(vendor_code: str) -> PublicShop:
    """See the program of a shop."""
    shop = enrolment.get_open(code=vendor_code)
    program = PublicProgram(
        id=shop.program_id,
        type=shop.loyalty_type,
        name=shop.card_name or DEFAULT_CARD_NAME,
        card_color=shop.card_color,
        logo_url=links.picture(shop.logo_url),
        stamps_target=shop.stamps_target if shop.content.has_stamps else None,
        stamps_reward=shop.stamps_reward_description if shop.content.has_stamps else None,
        points_per_euro=shop.points_per_euro if shop.content.has_points else None,
        terms_text=shop.terms_text,
        privacy_url=shop.privacy_url,
    )
    return PublicShop(vendor_name=shop.name, vendor_code=shop.code, program=program)


@operation(
    "POST",
    "/loyalty/programs/{vendor_code}/enroll",
    scope=None,
    body=JoinBody,
    answers={201: Joined, 202: LookAtMail},
    errors=(ProgramNotFound, ProgramInactive, VendorSuspended, SelfEnrollmentDisabled),
    limit_to=10,
    limit_with=JOINING,
    tag="Joining",
)
def enroll(vendor_code: str, body: JoinBody, key: RequestKey) -> Joined | LookAtMail:
    """Join a shop.

    A new customer gets the card; one whom the shop knows gets a mail with the link to it, and the answer 202. Where the
    shop confirms addresses first, everybody gets 202 and a mail.
    """
    joined = enrolment.join(
        vendor_code=vendor_code,
        store_code=None,
        form=form_of(body),
        locale=body.locale,
        key=key,
        at=now(),
        unasked=True,
    )
    if joined.public_token is None:
        return LookAtMail.of(joined, message=_look_at_mail(joined.state))
    card = card_views.get_public(token=joined.public_token)
    ways = card_records.addresses(public_token=joined.public_token, is_active=card.is_active)
    return Joined.of(
        joined,
        card_number=card.content.card_number,
        scan_code=card.content.scan_code,
        card_url=ways.card_url,
        apple_pass_url=ways.apple_pass_url,
        google_save_url=ways.google_save_url,
    )


def _look_at_mail(state: str) -> str:
    if state == "confirm":
        return gettext("We sent you a link: open it within 24 hours to get your card.")
    return gettext("We sent you the link to your card. Look at your mail, or ask at the counter.")
