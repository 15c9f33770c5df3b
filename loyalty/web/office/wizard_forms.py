"""The forms of the wizard: the few fields of each step that a new shop decides first, all others have good defaults."""

from collections.abc import Mapping
from typing import ClassVar, Final

from flask_babel import lazy_gettext as _l
from wtforms import RadioField, StringField
from wtforms.fields.choices import SelectChoice

from loyalty.domain import settings
from loyalty.services.rewards import RewardRow
from loyalty.web.fields import WholeNumberField
from loyalty.web.office.forms import OfficeForm
from loyalty.web.office.program_form import PictureForm, ProgramForm

# What a step asks of the program, by what customers collect.
_RULES: Final = {
    "stamps": ("stamps_target", "stamps_reward_description", "cooldown_minutes", "max_daily_stamps"),
    "points": ("points_per_euro", "points_expiration_days"),
    "hybrid": ("stamps_target", "stamps_reward_description", "points_per_euro"),
}
_REWARD: Final = {"reward_name": "name", "reward_points": "points_required"}


class KindForm(OfficeForm):
    """What customers collect."""

    checks: ClassVar = {"loyalty_type": settings.PROGRAM["loyalty_type"]}

    loyalty_type = ProgramForm.loyalty_type


class RuleForm(OfficeForm):
    """What a card takes, and what it gives; the fields of another kind are left out."""

    checks = {name: settings.PROGRAM[name] for names in _RULES.values() for name in names} | {
        name: settings.REWARD[setting] for name, setting in _REWARD.items()
    }

    stamps_target = ProgramForm.stamps_target
    stamps_reward_description = ProgramForm.stamps_reward_description
    cooldown_minutes = ProgramForm.cooldown_minutes
    max_daily_stamps = ProgramForm.max_daily_stamps
    points_per_euro = ProgramForm.points_per_euro
    reward_name = StringField(_l("What the points buy"))
    reward_points = WholeNumberField(_l("Its price in points"), optional=True)
    points_expiration_days = ProgramForm.points_expiration_days

    def __init__(self, *, kind: str, reward: RewardRow | None = None, **said: object) -> None:
        first = {"reward_name": reward.name, "reward_points": reward.points_required} if reward else {}
        super().__init__(data=first, **said)
        self.has_reward = reward is not None
        asked = {*_RULES[kind], *(_REWARD if kind != "stamps" else ())}
        for name in self.checks.keys() - asked:
            del self[name]

    @property
    def program(self) -> dict[str, object]:
        """The settings of the program."""
        return {name: value for name, value in self.values.items() if name in settings.PROGRAM}

    @property
    def reward(self) -> dict[str, object]:
        """The first reward; nothing where none was said."""
        said = {_REWARD[name]: value for name, value in self.values.items() if name in _REWARD}
        return said if self.has_reward or any(said.values()) else {}

    @property
    def values(self) -> dict[str, object]:
        """What was typed; a reward that nobody named is no question yet."""
        typed = super().values
        is_blank = all(typed.get(name) in (None, "") for name in _REWARD)
        unsaid = is_blank and not self.has_reward and not self._is_price_wrong
        return {name: value for name, value in typed.items() if not (unsaid and name in _REWARD)}

    @property
    def _is_price_wrong(self) -> bool:
        return "reward_points" in self and bool(self["reward_points"].errors)


class LookForm(PictureForm):
    """How the card looks."""

    checks: ClassVar = {
        name: settings.PROGRAM[name] for name in ("card_name", "card_color", "card_secondary_color", "logo_url")
    }

    card_name = ProgramForm.card_name
    card_color = ProgramForm.card_color
    card_secondary_color = ProgramForm.card_secondary_color
    logo_url = ProgramForm.logo_url
    logo_file = ProgramForm.logo_file
    logo_remove = ProgramForm.logo_remove


class PlaceForm(OfficeForm):
    """The first store, and the first of the staff."""

    checks: ClassVar = {
        "name": settings.STORE["name"],
        "address": settings.STORE["address"],
        "staff_role": settings.STAFF_PIN["role"],
    }

    name = StringField(_l("Name of the store"))
    address = StringField(_l("Address"))
    staff_name = StringField(_l("Who gets the first PIN"))
    staff_role = RadioField(
        _l("Role"),
        choices=[SelectChoice("manager", _l("Manager")), SelectChoice("staff", _l("Cashier"))],
        default="manager",
        validate_choice=False,
    )

    def __init__(self, *, asks_pin: bool, **said: object) -> None:
        super().__init__(**said)
        for name in () if asks_pin else ("staff_name", "staff_role"):
            del self[name]

    @property
    def person(self) -> dict[str, str]:
        """Who gets a PIN: nobody where no name is said."""
        said = {name: str(self[name].data or "").strip() for name in ("staff_name", "staff_role") if name in self}
        return said if said.get("staff_name") else {}

    @property
    def store(self) -> dict[str, object]:
        """The store as it is saved."""
        return {name: self.values[name] for name in ("name", "address")}

    def validate(self, extra_validators: Mapping[str, object] | None = None) -> bool:
        """Read all fields; a name is checked where one is said."""
        right = super().validate(extra_validators)
        if "staff_name" not in self:
            return right
        said = (self.staff_name.data or "").strip()
        problems = settings.find_problems(
            {"staff_name": settings.STAFF_PIN["name"]}, {"staff_name": said} if said else {}
        )
        for problem in problems.values():
            self.staff_name.errors = [self.say(self.staff_name, problem)]
        return right and not problems


class LabelForm(OfficeForm):
    """What the first tablet is called."""

    checks: ClassVar = {"label": settings.TERMINAL["label"]}

    label = StringField(_l("Name of the tablet"))
