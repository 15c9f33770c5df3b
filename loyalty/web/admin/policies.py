"""The policy of a shop: what the platform decides for it, each switch with what it does."""

from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, RadioField
from wtforms.fields.choices import SelectChoice

from loyalty.domain import settings
from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import platform_vendors, policies
from loyalty.web.access import current_admin, requires
from loyalty.web.admin.blueprint import blueprint
from loyalty.web.fields import WholeNumberField
from loyalty.web.forms import request_key
from loyalty.web.sentences import gettext
from loyalty.web.settings_forms import SettingsForm


class PolicyForm(SettingsForm):
    """What the platform decides for a shop."""

    checks = settings.POLICY

    staff_pin_policy = RadioField(
        _l("Does the till ask for a staff PIN?"),
        choices=[
            SelectChoice("required", _l("Always")),
            SelectChoice("optional", _l("The shop decides")),
            SelectChoice("disabled", _l("Never")),
        ],
        validate_choice=False,
    )
    pin_lockout_attempts = WholeNumberField(_l("Wrong PINs without a wait"))
    pin_lockout_minutes = WholeNumberField(_l("Longest wait in minutes"))
    allow_self_enrollment = BooleanField(_l("Customers may join by themselves"))
    allow_void_transactions = BooleanField(_l("Stamps, points and rewards can be taken back"))
    allow_cross_store_redemption = BooleanField(_l("Rewards are given at every store"))
    require_order_reference = BooleanField(_l("Every purchase needs an order reference"))
    log_ip_addresses = BooleanField(_l("Keep the network address of every entry"))


@blueprint.get("/vendors/<uuid:vendor_id>/policy")
@requires(Role.ADMIN)
def policy(vendor_id: UUID) -> ResponseReturnValue:
    """Show what is decided for a shop."""
    present = policies.get_of(admin=current_admin(), vendor_id=vendor_id)
    return _page(vendor_id, PolicyForm(formdata=None, obj=present))


@blueprint.post("/vendors/<uuid:vendor_id>/policy")
@requires(Role.ADMIN)
def change_policy(vendor_id: UUID) -> ResponseReturnValue:
    """Save the policy, all of it, or none and say why."""
    admin, form = current_admin(), PolicyForm()
    if form.validate():
        try:
            key = request_key(form.changes, admin.caller)
            policies.change(admin=admin, vendor_id=vendor_id, changes=form.changes, key=key)
            flash(gettext("The policy is saved. It counts from the next request on."))
            return redirect(url_for("admin.vendor", vendor_id=vendor_id), 303)
        except ValidationError as refusal:
            form.take(refusal)
    return _page(vendor_id, form), 422


def _page(vendor_id: UUID, form: PolicyForm) -> str:
    vendor = platform_vendors.get(admin=current_admin(), vendor_id=vendor_id)
    return render_template("admin/policy.html", form=form, vendor=vendor)
