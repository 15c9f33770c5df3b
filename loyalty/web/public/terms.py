"""The terms of a shop's card."""

from flask import g, render_template

from loyalty.services import vendors
from loyalty.web.access import public
from loyalty.web.public.blueprint import blueprint


@blueprint.get("/terms/<vendor_code>")
@public
def show_terms(vendor_code: str) -> str:
    """Show what the shop wrote, and where its privacy statement is."""
    vendor = vendors.get_public(code=vendor_code)
    g.shop_language = vendor.locale
    return render_template("public/terms.html", vendor=vendor)
