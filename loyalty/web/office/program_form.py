"""The form with all settings of the program."""

from collections.abc import Mapping
from typing import Final

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField
from wtforms import BooleanField, HiddenField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from loyalty.domain import settings
from loyalty.domain.pictures import MOST_BYTES
from loyalty.errors import ValidationError
from loyalty.services import images
from loyalty.services.images import Shape
from loyalty.web.access import current_actor
from loyalty.web.fields import WholeNumberField
from loyalty.web.office.fields import MoneyField
from loyalty.web.office.forms import OfficeForm
from loyalty.web.sentences import gettext

# Setting, field with the new file, box to tick for none, and how large it may be.
PICTURES: Final = (
    ("logo_url", "logo_file", "logo_remove", Shape.LOGO),
    ("hero_image_url", "hero_file", "hero_remove", Shape.HERO),
)


class KeptPictureField(HiddenField):  # type: ignore[misc] # WTForms publishes no types
    """The address of a picture of ours; one on another site, from earlier days, is as good as none."""

    def process_data(self, value: str | None) -> None:
        """Take what is stored."""
        self.data = images.own(value)


class PictureForm(OfficeForm):
    """A form with pictures: files that are kept as they come, so that none has to be chosen twice."""

    @property
    def pictures(self) -> list[tuple[str, str, str, Shape]]:
        """The pictures that this form asks for."""
        return [each for each in PICTURES if each[0] in self]

    @property
    def values(self) -> dict[str, object]:
        """What was typed, read; a picture that is to go is none, also where a new file was chosen."""
        gone = {name: None for name, _, remove, _ in self.pictures if self[remove].data}
        return {**super().values, **gone}

    def validate(self, extra_validators: Mapping[str, object] | None = None) -> bool:
        """Read all fields, and keep the pictures that were sent."""
        right = super().validate(extra_validators)
        for name, file, _, shape in self.pictures:
            if self[name].errors:
                self[file].errors, self[name].errors, self[name].data = self[name].errors, [], None
            sent = self[file].data
            if not sent:
                continue
            try:
                data = sent.stream.read(MOST_BYTES + 1)
                self[name].data = images.keep(actor=current_actor(), data=data, shape=shape)
            except ValidationError as refusal:
                self[file].errors = [gettext(sentence) for sentence in refusal.errors.values()]
                right = False
        return right


class ProgramForm(PictureForm):
    """All settings of the program, in the order of the page."""

    checks = settings.PROGRAM

    loyalty_type = RadioField(
        _l("What customers collect"),
        choices=[
            SelectChoice("stamps", _l("Stamps")),
            SelectChoice("points", _l("Points")),
            SelectChoice("hybrid", _l("Stamps and points")),
        ],
        validate_choice=False,
    )
    stamps_target = WholeNumberField(_l("Stamps for a reward"))
    stamps_reward_description = StringField(_l("The reward"))
    stamps_reward_value_cents = MoneyField(_l("What the reward is worth"), optional=True)
    max_stamps_per_action = WholeNumberField(_l("Most stamps in one tap"))
    cooldown_minutes = WholeNumberField(_l("Pause between two stamps"))
    max_daily_stamps = WholeNumberField(_l("Most stamps on one day"))
    welcome_stamps = WholeNumberField(_l("Stamps as a welcome"))
    points_per_euro = WholeNumberField(_l("Points for each unit of money"))
    minimum_purchase_cents = MoneyField(_l("Smallest purchase that earns points"))
    minimum_redemption_points = WholeNumberField(_l("Balance needed before points buy anything"))
    welcome_bonus_points = WholeNumberField(_l("Points as a welcome"))
    points_expiration_days = WholeNumberField(_l("Points expire after"), optional=True)
    card_name = StringField(_l("Name of the card"))
    card_color = StringField(_l("Colour of the card"))
    card_secondary_color = StringField(_l("Colour of the band"))
    # The picture that is kept now: its file cannot be sent back to the browser when another field is wrong.
    logo_url = KeptPictureField()
    logo_file = FileField(_l("Logo"))
    logo_remove = BooleanField(_l("Remove the logo"))
    hero_image_url = KeptPictureField()
    hero_file = FileField(_l("Wide picture"))
    hero_remove = BooleanField(_l("Remove the wide picture"))
    require_staff_pin = BooleanField(_l("Ask for a staff PIN at the till"))
    terms_text = TextAreaField(_l("Terms"))
    privacy_url = StringField(_l("Web address of the privacy notice"))
