"""How a shop keeps its customers' data, for a shop that has no page of its own about it."""

from flask import g, render_template
from flask.typing import ResponseReturnValue

from loyalty.services import processing, vendors
from loyalty.web.access import public
from loyalty.web.public.blueprint import blueprint
from loyalty.web.sentences import gettext


@blueprint.get("/join/<vendor_code>/privacy")
@public
def show_privacy(vendor_code: str) -> ResponseReturnValue:
    """Show what is kept of customers, what for and for how long."""
    vendor = vendors.get_public(code=vendor_code)
    g.shop_language = vendor.locale
    return render_template("public/privacy.html", vendor=vendor, record=processing.record(say=gettext))
