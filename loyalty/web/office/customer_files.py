"""The customers that the list shows, as a file."""

from collections.abc import Iterator

from flask import request
from flask.typing import ResponseReturnValue

from loyalty.domain.spreadsheets import Cell
from loyalty.domain.values import Role
from loyalty.services import card_lists, exports
from loyalty.services.card_lists import CardRow
from loyalty.web.access import current_actor, requires
from loyalty.web.limits import limit
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.downloads import card_cell, csv_file, local_parts
from loyalty.web.sentences import gettext


@blueprint.get("/customers.csv")
@requires(Role.MANAGER)
@limit("20 per minute")
def export_customers() -> ResponseReturnValue:
    """Answer all cards that fit what was typed and chosen as a file."""
    show = request.args.get("show", "all")
    show = show if show in card_lists.FILTERS else "all"
    rows = exports.export_customers(actor=current_actor(), text=request.args.get("q", ""), show=show)
    return csv_file("customers", _table(rows))


def _table(rows: Iterator[CardRow]) -> Iterator[list[Cell]]:
    """Put the cards into the columns of the file, its first row being their names."""
    yield [
        *(gettext("Customer"), gettext("Card number"), gettext("E-mail"), gettext("Phone")),
        *(gettext("Stamps"), gettext("Points"), gettext("Customer since"), gettext("Last visit"), gettext("State")),
    ]
    states = {True: gettext("Active"), False: gettext("Deactivated")}
    for row in rows:
        yield [
            *(row.name, card_cell(row.card_number), row.email, row.phone),
            *(row.stamp_count, row.points_balance, local_parts(row.joined_at)[0]),
            local_parts(row.last_visit_at)[0] if row.last_visit_at else None,
            states[row.is_active],
        ]
