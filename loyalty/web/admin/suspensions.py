"""Suspending a shop, for which its name is typed, and letting it work again."""

from collections.abc import Mapping
from uuid import UUID

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import StringField

from loyalty.domain.values import Role
from loyalty.services import platform_vendors
from loyalty.web.access import current_admin, requires
from loyalty.web.admin.blueprint import blueprint
from loyalty.web.forms import request_key
from loyalty.web.sentences import gettext
from loyalty.web.settings_forms import SettingsForm


class SuspensionForm(SettingsForm):
    """The name of the shop, typed by somebody who means it."""

    typed_name = StringField(_l("Name of the shop"))
    expected = ""

    def validate(self, extra_validators: Mapping[str, object] | None = None) -> bool:
        """Compare the name without regard to capitals and spaces."""
        right = super().validate(extra_validators)
        if _plain(str(self.typed_name.data or "")) == _plain(self.expected):
            return right
        self.typed_name.errors = [gettext("Type the name as it stands above: %(name)s", name=self.expected)]
        return False


@blueprint.get("/vendors/<uuid:vendor_id>/suspend")
@requires(Role.ADMIN)
def confirm_suspension(vendor_id: UUID) -> ResponseReturnValue:
    """Ask for the name of the shop before it is suspended."""
    vendor = platform_vendors.get(admin=current_admin(), vendor_id=vendor_id)
    return render_template("admin/suspend.html", form=SuspensionForm(formdata=None), vendor=vendor)


@blueprint.post("/vendors/<uuid:vendor_id>/suspend")
@requires(Role.ADMIN)
def suspend_vendor(vendor_id: UUID) -> ResponseReturnValue:
    """Suspend a shop whose name was typed."""
    admin, form = current_admin(), SuspensionForm()
    vendor = platform_vendors.get(admin=admin, vendor_id=vendor_id)
    form.expected = vendor.name
    if not form.validate():
        return render_template("admin/suspend.html", form=form, vendor=vendor), 422
    platform_vendors.suspend(admin=admin, vendor_id=vendor_id, key=request_key({}, admin.caller))
    flash(gettext("“%(name)s” is suspended.", name=vendor.name))
    return redirect(url_for("admin.vendor", vendor_id=vendor_id), 303)


@blueprint.post("/vendors/<uuid:vendor_id>/resume")
@requires(Role.ADMIN)
def resume_vendor(vendor_id: UUID) -> ResponseReturnValue:
    """Let a suspended shop work again."""
    admin = current_admin()
    platform_vendors.resume(admin=admin, vendor_id=vendor_id, key=request_key({}, admin.caller))
    vendor = platform_vendors.get(admin=admin, vendor_id=vendor_id)
    flash(gettext("“%(name)s” works again.", name=vendor.name))
    return redirect(url_for("admin.vendor", vendor_id=vendor_id), 303)


def _plain(text: str) -> str:
    return " ".join(text.casefold().split()).replace("’", "'")
