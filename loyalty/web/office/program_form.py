"""The form with all settings of the program."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice

from loyalty.domain import settings
from loyalty.web.office.fields import MoneyField, WholeNumberField
from loyalty.web.office.forms import OfficeForm


class ProgramForm(OfficeForm):
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
    logo_url = StringField(_l("Web address of the logo"))
    hero_image_url = StringField(_l("Web address of a wide picture"))
    require_staff_pin = BooleanField(_l("Ask for a staff PIN at the till"))
    terms_text = TextAreaField(_l("Terms"))
    privacy_url = StringField(_l("Web address of the privacy notice"))
