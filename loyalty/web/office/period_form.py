"""The days and the store that a page of statistics is about: asked for in its address, chosen in a form."""

from dataclasses import dataclass
from datetime import date
from typing import ClassVar
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import request
from flask_babel import lazy_gettext as _l
from wtforms import SelectField
from wtforms.fields.choices import SelectChoice

from loyalty.domain.values import Actor
from loyalty.errors import NotFound, ValidationError
from loyalty.services import stats_periods, stores
from loyalty.services.stats_periods import Period
from loyalty.web.access import now
from loyalty.web.fields import DayField
from loyalty.web.locale import zone
from loyalty.web.office.forms import OfficeForm
from loyalty.web.sentences import gettext
from loyalty.web.spans import PRESETS, first_of_last_days


class PeriodForm(OfficeForm):
    """Which days, and which store; it only looks, so it needs no token."""

    class Meta:
        csrf: ClassVar[bool] = False

    first = DayField(_l("From"), optional=True)
    last = DayField(_l("Until"), optional=True)
    store = SelectField(_l("Store"), choices=[], default="", validate_choice=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a page is about; without a period the form says what is wrong with it."""

    form: PeriodForm
    period: Period | None
    store_id: UUID | None
    stores: int

    @property
    def preset(self) -> int | None:
        """How many of the last days these are, where a link leads to them."""
        period = self.period
        return period.days if period and period.last == period.today and period.days in PRESETS else None

    @property
    def query(self) -> dict[str, object]:
        """What leads to the same days and store on another page."""
        store = {"store": self.form.store.data} if self.form.store.data else {}
        if self.period is None or self.preset == stats_periods.USUAL_DAYS:
            return store
        if self.preset:
            return {"days": self.preset, **store}
        return {"first": self.period.first.isoformat(), "last": self.period.last.isoformat(), **store}


def read(actor: Actor) -> Asked:
    """Read what is asked for: days that cannot be shown are said beside their field, an unknown store is not found."""
    form, places = PeriodForm(request.args), stores.list_all(actor=actor)
    form.store.choices = [SelectChoice("", gettext("All stores"))]
    form.store.choices += [SelectChoice(place.code, place.name) for place in places]
    store_id = _store_id(form, places)
    period = _period(actor, form, store_id) if form.validate() else None
    return Asked(form, period, store_id, len(places))


def _store_id(form: PeriodForm, places: list[stores.StoreRow]) -> UUID | None:
    if not form.store.data:
        return None
    found = next((place.store_id for place in places if place.code == form.store.data), None)
    if found is None:
        raise NotFound
    return found


def _period(actor: Actor, form: PeriodForm, store_id: UUID | None) -> Period | None:
    first: date | None = form.first.data
    if first is None and form.last.data is None:
        first = first_of_last_days(now().astimezone(ZoneInfo(zone())).date())
    try:
        period = stats_periods.choose(actor=actor, first=first, last=form.last.data, store_id=store_id, at=now())
    except ValidationError as refusal:
        form.take(refusal)
        return None
    # What was left empty is shown as it was understood.
    for field, day in ((form.first, period.first), (form.last, period.last)):
        field.data, field.raw_data = day, None
    return period
