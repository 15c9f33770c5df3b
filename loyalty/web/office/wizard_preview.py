"""What a shop sees of itself beside the wizard: the card, the wallets, the poster and the till, with what is typed."""

from dataclasses import replace
from typing import Any

from loyalty.domain.colours import contrast, fg
from loyalty.domain.values import Actor, PassContent
from loyalty.services import images, links, onboarding_steps, programs, vendors
from loyalty.services.programs import Program
from loyalty.services.rewards import RewardRow
from loyalty.web.locale import languages, ratio
from loyalty.web.office import posters
from loyalty.web.office.forms import OfficeForm
from loyalty.web.office.preview import chosen, missing_wallet, second_colour
from loyalty.web.office.wizard_forms import RuleForm
from loyalty.web.sentences import gettext

MODES = ("web", "apple", "google", "poster", "terminal")


def draw(actor: Actor, form: OfficeForm, program: Program) -> dict[str, Any]:
    """Return what the preview shows: values of many types, as its template reads them."""
    view, typed = chosen(MODES), form.right_values
    content = programs.preview(actor=actor, changes=_of_program(typed), share=view.share)
    if isinstance(form, RuleForm):
        content = _with_reward(content, typed, view.share)
    seen = images.shade(content.logo_url) if content.logo_on_plate else None
    return {
        "view": view,
        "content": content,
        "second": _second(program, typed, content),
        "missing_wallet": missing_wallet(view.mode),
        "text_colour": gettext("black") if fg(content.color) == "#000000" else gettext("white"),
        "contrast": ratio(contrast(content.color, fg(content.color))),
        "logo_contrast": ratio(contrast(seen, content.color)) if seen else None,
        "poster": _poster(actor, content) if view.mode == "poster" else None,
    }


def _of_program(typed: dict[str, object]) -> dict[str, object]:
    return {name: value for name, value in typed.items() if name in Program.__dataclass_fields__}


def _with_reward(content: PassContent, typed: dict[str, object], share: float) -> PassContent:
    """Put the reward that is being typed in the place of the one that is saved."""
    name, price = typed.get("reward_name"), typed.get("reward_points")
    if not name or not isinstance(price, int):
        return content
    return replace(content, points_reward=str(name), points_goal=price, points_balance=round(price * share))


def _second(program: Program, typed: dict[str, object], content: PassContent) -> str:
    return second_colour(str(typed.get("card_secondary_color", program.card_secondary_color) or ""), content)


def _poster(actor: Actor, content: PassContent) -> dict[str, Any]:
    """Return what the macro of the poster takes, in the shop's own language."""
    code = vendors.get_settings(actor=actor).code
    vendor = replace(vendors.get_public(code=code), content=content)
    language = vendor.locale if vendor.locale in languages() else "en"
    reward = RewardRow("", content.points_reward, 1, None, "", True) if content.points_reward else None
    faces = [posters.say(vendor, reward, language)]
    store = onboarding_steps.find_first_store(actor=actor)
    address = links.join(code, store.code if store else None)
    return {
        "vendor": vendor,
        "faces": faces,
        "size": posters.size_of(faces),
        "address": address,
        "short_address": posters.short(address),
    }
