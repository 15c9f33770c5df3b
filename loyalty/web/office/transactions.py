"""Transactions: what happened in the shop, filtered by what stands in the address, newest first, and as a file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import ClassVar, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from babel import numbers
from flask import render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice

from loyalty.domain.codes import format_card_number, read_code
from loyalty.domain.spreadsheets import Cell
from loyalty.domain.values import Actor, Role, TransactionType
from loyalty.services import exports, pins, stores, transaction_table
from loyalty.services.transaction_lists import Filters
from loyalty.services.transaction_table import Line
from loyalty.web.access import current_actor, now, requires
from loyalty.web.fields import DayField
from loyalty.web.ids import find_id
from loyalty.web.limits import limit
from loyalty.web.locale import day, zone
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.downloads import card_cell, csv_file, local_parts
from loyalty.web.office.forms import OfficeForm
from loyalty.web.sentences import gettext

KINDS: Final = {
    TransactionType.CARD_CREATED: _l("Card made"),
    TransactionType.WELCOME_BONUS: _l("Welcome"),
    TransactionType.STAMP_EARNED: _l("Stamp"),
    TransactionType.POINTS_EARNED: _l("Points"),
    TransactionType.STAMP_REDEEMED: _l("Reward for stamps"),
    TransactionType.POINTS_REDEEMED: _l("Reward for points"),
    TransactionType.STAMP_VOIDED: _l("Stamps taken back"),
    TransactionType.POINTS_VOIDED: _l("Points taken back"),
    TransactionType.REDEMPTION_VOIDED: _l("Reward taken back"),
    TransactionType.STAMP_ADJUSTMENT: _l("Stamps corrected"),
    TransactionType.POINTS_ADJUSTMENT: _l("Points corrected"),
    TransactionType.POINTS_EXPIRED: _l("Points expired"),
    TransactionType.CARD_DEACTIVATED: _l("Card deactivated"),
    TransactionType.CARD_REACTIVATED: _l("Card activated again"),
}
# Days that a link leads to, by how many there are of them up to today.
SPANS: Final = {1: _l("Today"), 7: _l("Last 7 days"), 30: _l("Last 30 days")}
_YEARS: Final = range(2000, 2100)


class FilterForm(OfficeForm):
    """Which transactions; it only looks, so it needs no token."""

    class Meta:
        csrf: ClassVar[bool] = False

    since = DayField(_l("From"), optional=True)
    until = DayField(_l("Until"), optional=True)
    type = SelectField(_l("What"), choices=[], default="", validate_choice=False)
    store = SelectField(_l("Store"), choices=[], default="", validate_choice=False)
    staff = SelectField(_l("Staff"), choices=[], default="", validate_choice=False)
    card = StringField(_l("Card number"))

    def validate(self, extra_validators: Mapping[str, object] | None = None) -> bool:
        """Say beside each field what of it leads nowhere."""
        right = super().validate(extra_validators)
        for field in (self.since, self.until):
            if field.data and field.data.year not in _YEARS:
                field.errors = [gettext("Write the day as 2026-11-20.")]
        if self.since.data and self.until.data and self.since.data > self.until.data:
            self.until.errors = [gettext("The last day is before the first one.")]
        for field in (self.type, self.store, self.staff):
            if field.data and field.data not in [choice.value for choice in field.choices]:
                field.errors = [gettext("Choose one of the list.")]
        if self.card.data and self._card_number is None:
            self.card.errors = [gettext("Enter the 10 digits of a card number, such as 4812 037 756.")]
        return right and not self.errors

    @property
    def filters(self) -> Filters:
        """The filters as the service takes them."""
        return Filters(
            kind=TransactionType(self.type.data) if self.type.data else None,
            store_code=self.store.data or None,
            staff_pin_id=UUID(self.staff.data) if self.staff.data else None,
            card_number=self._card_number,
            since=self.since.data,
            until=self.until.data,
        )

    @property
    def query(self) -> dict[str, str]:
        """What leads to the same rows again."""
        return {field.name: str(field.data) for field in self if field.data}

    @property
    def _card_number(self) -> str | None:
        read = read_code(str(self.card.data or "")[:100])
        return read.card_number if read else None


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is on, in words, and the address of the list without it."""

    words: str
    address: str


@blueprint.get("/transactions")
@requires(Role.MANAGER)
def list_transactions() -> ResponseReturnValue:
    """List what passes the filters, a page at a time."""
    actor = current_actor()
    form = _form(actor)
    if not form.validate():
        return _page(form, None), 422
    newer_than, older_than = find_id(request.args.get("newer")), find_id(request.args.get("older"))
    found = transaction_table.find_page(
        actor=actor, filters=form.filters, older_than=older_than, newer_than=None if older_than else newer_than
    )
    return _page(form, found)


@blueprint.get("/transactions.csv")
@requires(Role.MANAGER)
@limit("20 per minute")
def export_transactions() -> ResponseReturnValue:
    """Answer all that passes the filters as a file."""
    actor = current_actor()
    form = _form(actor)
    if not form.validate():
        return _page(form, None), 422
    lines = exports.export_transactions(actor=actor, filters=form.filters)
    return csv_file("transactions", _table(lines, str(current_user.session.currency)))


def _form(actor: Actor) -> FilterForm:
    form = FilterForm(request.args)
    places, people = stores.list_all(actor=actor), pins.list_all(actor=actor)
    form.type.choices = [SelectChoice("", gettext("Everything"))]
    form.type.choices += [SelectChoice(kind.value, words) for kind, words in KINDS.items()]
    form.store.choices = [SelectChoice("", gettext("All stores"))]
    form.store.choices += [SelectChoice(place.code, place.name) for place in places]
    form.staff.choices = [SelectChoice("", gettext("Everybody"))]
    form.staff.choices += [SelectChoice(str(person.staff_pin_id), person.name) for person in people]
    return form


def _page(form: FilterForm, found: transaction_table.LinePage | None) -> str:
    query = form.query
    today = now().astimezone(ZoneInfo(zone())).date()
    return render_template(
        "office/transactions.html",
        form=form,
        found=found,
        chips=_chips(form) if found else [],
        spans=[_span(query, days, today) for days in SPANS],
        query=query,
        counted=transaction_table.COUNTED,
        neighbours={
            name: _address({**query, name: str(row)}) if row else None
            for name, row in (("newer", found.newer), ("older", found.older))
        }
        if found
        else {},
    )


def _span(query: dict[str, str], days: int, today: date) -> tuple[str, str, bool]:
    """Return the words and the address of the last days, and whether they are what is shown."""
    span = {"since": str(today - timedelta(days=days - 1)), "until": str(today)}
    address = _address(query | span)
    return str(SPANS[days]), address, span.items() <= query.items()


def _chips(form: FilterForm) -> list[Chip]:
    query, filters = form.query, form.filters
    words = {
        "since": gettext("From %(day)s", day=day(form.since.data)) if form.since.data else "",
        "until": gettext("To %(day)s", day=day(form.until.data)) if form.until.data else "",
        "card": gettext("Card %(number)s", number=format_card_number(filters.card_number or "")),
        **{name: _label(form[name]) for name in ("type", "store", "staff")},
    }
    return [Chip(words[name], _without(query, name)) for name in query]


def _label(field: SelectField) -> str:
    return next((str(choice.label) for choice in field.choices if choice.value == field.data), "")


def _without(query: dict[str, str], name: str) -> str:
    return _address({other: value for other, value in query.items() if other != name})


def _address(query: dict[str, str]) -> str:
    return url_for("office.list_transactions", **query)  # type: ignore[arg-type] # as flags of its own are typed


def _table(lines: Iterator[Line], currency: str) -> Iterator[list[Cell]]:
    """Put the rows into the columns of the file, its first row being their names."""
    digits = numbers.get_currency_precision(currency)
    yield [
        *(gettext("Day"), gettext("Time"), gettext("Customer"), gettext("Card number"), gettext("What")),
        *(gettext("Stamps"), gettext("Points"), gettext("Stamps afterwards"), gettext("Points afterwards")),
        *(gettext("Amount (%(currency)s)", currency=currency), gettext("Order reference"), gettext("Reward")),
        *(gettext("Staff"), gettext("Store"), gettext("Taken back"), gettext("Taken back by"), gettext("Reason")),
    ]
    kinds = {kind: str(words) for kind, words in KINDS.items()}
    yes = gettext("Yes")
    for line in lines:
        cents = line.purchase_amount_cents
        yield [
            *(*local_parts(line.transaction_at), line.customer_name, card_cell(line.card_number)),
            *(kinds[line.transaction_type], line.stamps_delta, line.points_delta),
            *(line.stamps_balance_after, line.points_balance_after),
            None if cents is None else Decimal(cents).scaleb(-digits),
            *(line.order_reference, line.reward_description, line.who, line.store_name),
            *((yes, line.voided_by) if line.voided else (None, None)),
            line.notes,
        ]
