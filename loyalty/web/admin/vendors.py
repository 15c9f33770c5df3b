"""The vendors of the platform: the list, one of them, and opening another."""

from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from loyalty.domain import settings
from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import platform, platform_vendors, policies
from loyalty.web import choices
from loyalty.web.access import current_admin, now, requires
from loyalty.web.admin.blueprint import blueprint
from loyalty.web.forms import request_key
from loyalty.web.locale import LANGUAGES
from loyalty.web.sentences import gettext
from loyalty.web.settings_forms import SettingsForm

_OWN = ("name", "locale", "country", "timezone")
_ZONE = "Europe/Luxembourg"


class VendorForm(SettingsForm):
    """A new shop, its first store, and who owns it."""

    checks = {name: settings.VENDOR[name] for name in _OWN} | {"store_name": settings.STORE["name"]}

    name = StringField(_l("Name of the shop"))
    code = StringField(_l("Short name"))
    store_name = StringField(_l("Name of the first store"))
    # Said at once with whatever else is missing; what it may be, the service decides.
    owner_email = StringField(
        _l("E-mail address of the owner"), [InputRequired(_l("Enter an e-mail address, such as cleo@example.org."))]
    )
    access = RadioField(
        _l("How the owner gets in"),
        choices=[
            SelectChoice("invitation", _l("By a mailed invitation")),
            SelectChoice("password", _l("By a password that I hand over")),
        ],
        default="invitation",
        validate_choice=False,
    )
    locale = SelectField(
        _l("Language"), choices=[SelectChoice(*language) for language in LANGUAGES.items()], validate_choice=False
    )
    country = SelectField(_l("Country"), choices=[], default="LU", validate_choice=False)
    timezone = SelectField(_l("Time zone"), choices=[], default=_ZONE, validate_choice=False)
    currency = SelectField(_l("Currency"), choices=[], default="EUR", validate_choice=False)

    @property
    def details(self) -> dict[str, str]:
        """The shop as the service takes it; without a short name it makes one of the name."""
        code = str(self.code.data or "").strip()
        rest = {"currency": str(self.currency.data or "")} | ({"code": code} if code else {})
        return {name: str(value or "") for name, value in self.values.items()} | rest

    def take(self, refusal: ValidationError) -> None:
        """Put what a service refused beside its fields; who signs in here is the owner."""
        names = {"email": "owner_email"}
        super().take(ValidationError({names.get(name, name): text for name, text in refusal.errors.items()}))


class OwnerForm(SettingsForm):
    """Who is invited to own a shop."""

    email = StringField(_l("E-mail address"))


@blueprint.get("/vendors")
@requires(Role.ADMIN)
def list_vendors() -> ResponseReturnValue:
    """List the vendors by name, with what is going on at each."""
    after, search = request.args.get("after", "")[:200], request.args.get("q", "").strip()[:200]
    show = request.args.get("show", "")
    show = show if show in platform.SHOWN else ""
    page = platform.list_vendors(admin=current_admin(), after=after, at=now(), search=search, show=show)
    return render_template("admin/vendors.html", page=page, search=search, show=show, most_cards=platform.MOST_CARDS)


@blueprint.get("/vendors/new")
@requires(Role.ADMIN)
def new_vendor() -> ResponseReturnValue:
    """Ask for a new shop."""
    return _form_page(VendorForm(formdata=None))


@blueprint.post("/vendors/new")
@requires(Role.ADMIN)
def create_vendor() -> ResponseReturnValue:
    """Open a shop and invite its owner, or show a first password, this once: the same tap again comes without it."""
    admin, form = current_admin(), VendorForm()
    if form.validate():
        owner = str(form.owner_email.data or "").strip()
        try:
            key = request_key({**form.details, "owner_email": owner, "access": form.access.data}, admin.caller)
            if form.access.data == "password":
                made = platform_vendors.create(admin=admin, details=form.details, owner_email=owner, key=key)
                return render_template("admin/vendor_opened.html", made=made, name=form.name.data, owner_email=owner)
            made = platform_vendors.create_by_invitation(
                admin=admin, details=form.details, owner_email=owner, at=now(), key=key
            )
            flash(gettext("“%(name)s” is open, and its owner is invited.", name=form.name.data))
            return redirect(url_for("admin.vendor", vendor_id=made.vendor_id), 303)
        except ValidationError as refusal:
            form.take(refusal)
    return _form_page(form), 422


@blueprint.get("/vendors/<uuid:vendor_id>")
@requires(Role.ADMIN)
def vendor(vendor_id: UUID) -> ResponseReturnValue:
    """Show one shop: how it does, what it is, who works in its office, and what is decided for it."""
    return _vendor_page(OwnerForm(formdata=None), vendor_id)


@blueprint.post("/vendors/<uuid:vendor_id>/owners")
@requires(Role.ADMIN)
def invite_owner(vendor_id: UUID) -> ResponseReturnValue:
    """Invite an owner by mail: another one, or the first one again."""
    admin, form = current_admin(), OwnerForm()
    email = str(form.email.data or "").strip()
    if form.validate():
        try:
            key = request_key({"email": email}, admin.caller)
            done = platform_vendors.invite_owner(admin=admin, vendor_id=vendor_id, email=email, at=now(), key=key)
            flash(gettext("An invitation is on its way to %(email)s.", email=done.email))
            return redirect(url_for("admin.vendor", vendor_id=vendor_id), 303)
        except ValidationError as refusal:
            form.take(refusal)
    return _vendor_page(form, vendor_id), 422


def _vendor_page(form: OwnerForm, vendor_id: UUID) -> str:
    admin = current_admin()
    return render_template(
        "admin/vendor.html",
        vendor=platform_vendors.get(admin=admin, vendor_id=vendor_id),
        row=platform.get_vendor(admin=admin, vendor_id=vendor_id, at=now()),
        members=platform_vendors.list_members(admin=admin, vendor_id=vendor_id),
        invited=platform_vendors.list_waiting(admin=admin, vendor_id=vendor_id, at=now()),
        form=form,
        country_name=choices.country_name,
        policy=policies.get_of(admin=admin, vendor_id=vendor_id),
        most_cards=platform.MOST_CARDS,
    )


def _form_page(form: VendorForm) -> str:
    form.country.choices = choices.countries()
    form.currency.choices = choices.currencies()
    form.timezone.choices = choices.zones(_ZONE)
    return render_template("admin/new_vendor.html", form=form)
