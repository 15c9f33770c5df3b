"""The poster for the counter: the deal, the code and the way to a card, on one sheet of paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Final
from urllib.parse import urlsplit

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField
from wtforms.fields.choices import SelectChoice

from loyalty.domain.values import Actor, Role
from loyalty.services import links, rewards, stores, vendors
from loyalty.services.rewards import RewardRow
from loyalty.services.vendors import PublicVendor
from loyalty.web.access import current_actor, requires
from loyalty.web.locale import languages
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.forms import OfficeForm
from loyalty.web.sentences import gettext, ngettext

# Paper by its name; a tent is an A4 sheet that is folded once and stands on the table.
FORMATS: Final = {"a4": "A4", "a5": "A5", "a6": "A6", "tent": _l("Table tent (A4, folded)")}
# Up to how many letters a text is printed large, and up to how many still middling.
_LARGE, _MIDDLING = 45, 90


class PosterForm(OfficeForm):
    """How the poster is to be; it only looks, so it needs no token."""

    class Meta:
        csrf: ClassVar[bool] = False

    format = RadioField(
        _l("Paper"), choices=[SelectChoice(*each) for each in FORMATS.items()], default="a5", validate_choice=False
    )
    # Not `lang`: that is the language of the office itself.
    language = SelectField(_l("Language"), choices=[], validate_choice=False)
    second = SelectField(_l("Second language"), choices=[], default="", validate_choice=False)
    store = SelectField(_l("Store"), choices=[], validate_choice=False)
    ink = RadioField(
        _l("Ink"),
        choices=[SelectChoice("colour", _l("In colour")), SelectChoice("saving", _l("Save ink"))],
        default="colour",
        validate_choice=False,
    )

    def validate(self, extra_validators: object = None) -> bool:
        """Say beside each field what is none of its choices: a poster is printed many times before it is read."""
        for field in self:
            if field.data not in [choice.value for choice in field.choices]:
                field.errors = [gettext("Choose one of the list.")]
        return not self.errors


@dataclass(frozen=True, slots=True)
class Face:
    """What the poster says in one language."""

    language: str
    headline: str
    steps: Sequence[tuple[str, str]]


@blueprint.get("/poster")
@requires(Role.MANAGER)
def poster() -> ResponseReturnValue:
    """Show the poster as it will be printed, and what may be chosen about it."""
    actor = current_actor()
    vendor = vendors.get_public(code=vendors.get_settings(actor=actor).code)
    form = _form(actor, vendor)
    is_right = form.validate()
    address = links.join(vendor.code, form.store.data if is_right else None)
    faces = _faces(actor, vendor, form) if is_right else []
    page = render_template(
        "office/poster.html",
        form=form,
        vendor=vendor,
        faces=faces,
        size=size_of(faces),
        address=address,
        short_address=short(address),
    )
    return page if is_right else (page, 422)


def _form(actor: Actor, vendor: PublicVendor) -> PosterForm:
    spoken = languages()
    open_stores = [store for store in stores.list_all(actor=actor) if store.active]
    first = open_stores[0].code if open_stores else ""
    usual = {"language": vendor.locale if vendor.locale in spoken else "en", "store": first}
    form = PosterForm(request.args, data=usual)
    form.language.choices = [SelectChoice(*each) for each in spoken.items()]
    form.second.choices = [SelectChoice("", gettext("None")), *form.language.choices]
    form.store.choices = [SelectChoice(store.code, store.name) for store in open_stores]
    form.store.choices.append(SelectChoice("", gettext("No store in particular")))
    return form


def _faces(actor: Actor, vendor: PublicVendor, form: PosterForm) -> list[Face]:
    """Say it in each of the chosen languages, once where both are the same."""
    chosen = dict.fromkeys(code for code in (form.language.data, form.second.data) if code)
    on_offer = [reward for reward in rewards.list_all(actor=actor) if reward.active]
    cheapest = min(on_offer, key=lambda reward: reward.points_required, default=None)
    return [say(vendor, cheapest, code) for code in chosen]


def say(vendor: PublicVendor, cheapest: RewardRow | None, code: str) -> Face:
    """Say the deal and the way to a card in one language."""
    with force_locale(code):
        headline = _headline(vendor, cheapest, code)
        contact = {
            "email": ("mail", gettext("Enter your e-mail address")),
            "phone": ("phone", gettext("Enter your mobile number")),
        }
        steps = [
            ("camera", gettext("Scan the code with your phone")),
            contact[vendor.contact_field],
            ("card", gettext("Show your card at every visit")),
        ]
    return Face(code, headline, steps)


def size_of(faces: Sequence[Face]) -> str:
    """Return how large the deal can be printed, the same in all languages."""
    longest = max((len(face.headline) for face in faces), default=0)
    return "large" if longest <= _LARGE else "middling" if longest <= _MIDDLING else "small"


def _headline(vendor: PublicVendor, cheapest: RewardRow | None, code: str) -> str:
    content = vendor.content
    if content.has_stamps:
        return ngettext(
            "Collect %(num)s stamp, get: %(reward)s",
            "Collect %(num)s stamps, get: %(reward)s",
            content.stamps_target,
            reward=content.stamps_reward,
        )
    if cheapest is not None:
        return gettext("Collect points, get: %(reward)s", reward=cheapest.names.get(code) or cheapest.name)
    return gettext("Collect points with every purchase")


def short(address: str) -> str:
    """Return what somebody has to type who cannot scan."""
    parts = urlsplit(address)
    return f"{parts.netloc}{parts.path}"
