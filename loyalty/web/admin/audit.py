"""The audit log, searched by what stands in the address, newest first."""

from typing import ClassVar

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice

from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import audit_log
from loyalty.services.audit_log import AuditFilters, AuditPage
from loyalty.web.access import current_admin, requires
from loyalty.web.admin.blueprint import blueprint
from loyalty.web.audit_words import ACTIONS, action_words, detail_words, short_id, subject_words
from loyalty.web.fields import DayField
from loyalty.web.ids import find_id
from loyalty.web.sentences import gettext
from loyalty.web.settings_forms import SettingsForm

_LONGEST = 254


class AuditForm(SettingsForm):
    """Which events; it only looks, so it needs no token."""

    class Meta:
        csrf: ClassVar[bool] = False

    person = StringField(_l("E-mail address of a person"))
    action = SelectField(_l("What was done"), choices=[], default="", validate_choice=False)
    vendor = StringField(_l("Shop"))
    since = DayField(_l("From"), optional=True)
    until = DayField(_l("Until"), optional=True)

    @property
    def filters(self) -> AuditFilters:
        """The filters as the service takes them."""
        words = {name: str(self[name].data or "").strip()[:_LONGEST] for name in ("person", "action", "vendor")}
        return AuditFilters(**words, since=self.since.data, until=self.until.data)

    @property
    def query(self) -> dict[str, str]:
        """What leads to the same events again."""
        return {field.name: str(field.data) for field in self if field.data}


@blueprint.get("/audit")
@requires(Role.ADMIN)
def audit_events() -> ResponseReturnValue:
    """List what passes the filters, a page at a time."""
    form = AuditForm(request.args)
    if form.validate():
        try:
            page = audit_log.list_page(
                admin=current_admin(), filters=form.filters, before=find_id(request.args.get("before"))
            )
            return _page(form, page)
        except ValidationError as refusal:
            form.take(refusal)
    return _page(form, None), 422


def _page(form: AuditForm, page: AuditPage | None) -> str:
    words = sorted((action_words(action), action) for action in ACTIONS)
    form.action.choices = [SelectChoice("", gettext("Everything")), *(SelectChoice(code, word) for word, code in words)]
    return render_template(
        "admin/audit.html",
        form=form,
        page=page,
        query=form.query,
        action_words=action_words,
        short_id=short_id,
        subject_words=subject_words,
        detail_words=detail_words,
    )
