"""Mails to customers: the shop's own words for each kind, seen and tried out before they are used."""

from flask import flash, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import BooleanField, StringField, TextAreaField

from loyalty.domain import settings, wording
from loyalty.domain.values import Role
from loyalty.errors import ValidationError
from loyalty.services import mail_settings, mail_wording
from loyalty.services.mail_settings import MailSettingsRow
from loyalty.services.mail_wording import Wording
from loyalty.web import mail_words, security
from loyalty.web.access import current_actor, now, requires
from loyalty.web.fields import WholeNumberField
from loyalty.web.forms import request_key
from loyalty.web.locale import LANGUAGES
from loyalty.web.office.blueprint import blueprint
from loyalty.web.office.forms import OfficeForm
from loyalty.web.sentences import gettext


class MailSettingsForm(OfficeForm):
    """Under which name the shop writes, and what it sends of its own accord."""

    checks = settings.MAILS

    sender_name = StringField(_l("Sender of the mails"))
    birthday = BooleanField(_l("Congratulate on birthdays"))
    birthday_points = WholeNumberField(_l("Points as a present"))
    birthday_stamps = WholeNumberField(_l("Stamps as a present"))
    miss_you = BooleanField(_l("Write to regulars who stay away"))
    daily_digest = BooleanField(_l("Mail me what needs my attention, at most once a day"))


_NIGHT = "@media (prefers-color-scheme: dark)"
LOOKS = {"light": _l("Light"), "dark": _l("Dark"), "text": _l("Text only")}


class WordingForm(FlaskForm):  # type: ignore[misc] # Flask-WTF publishes no types
    """Subject and body of a mail, with names in braces."""

    subject = StringField(_l("Subject"))
    body = TextAreaField(_l("Text"))

    @property
    def words(self) -> dict[str, str]:
        """What was typed."""
        return {"subject": self.subject.data or "", "body": self.body.data or ""}

    def explain(self, kind: str, refusal: ValidationError) -> None:
        """Put beside each field what is wrong with it; anything else stands above the form."""
        words = {"subject": wording.tidy(self.words["subject"], lines=False)}
        words["body"] = wording.tidy(self.words["body"], lines=True)
        problems = wording.find_problems(kind=kind, **words)
        for name, problem in problems.items():
            self[name].errors = [gettext(problem.sentence, **problem.details)]
        self.form_errors += [gettext(text) for name, text in refusal.errors.items() if name not in problems]


@blueprint.get("/mails")
@requires(Role.MANAGER)
def list_mail_kinds() -> ResponseReturnValue:
    """List the mails to customers, and which of them the shop words itself."""
    kinds = mail_wording.list_kinds(actor=current_actor())
    return render_template("office/mails.html", kinds=kinds, mail_words=mail_words, languages_of_mails=LANGUAGES)


@blueprint.get("/mails/settings")
@requires(Role.MANAGER)
def mail_settings_page() -> ResponseReturnValue:
    """Show what the shop sends of its own accord."""
    return _settings_page(_settings_form(obj=mail_settings.get(actor=current_actor())))


@blueprint.post("/mails/settings")
@requires(Role.MANAGER)
def change_mail_settings() -> ResponseReturnValue:
    """Save it, or nothing and say why."""
    form = _settings_form()
    if form.validate():
        try:
            mail_settings.change(actor=current_actor(), changes=form.changes, key=request_key(form.changes))
            flash(gettext("The settings are saved."))
            return redirect(url_for("office.mail_settings_page"), 303)
        except ValidationError as refusal:
            form.take(refusal)
    return _settings_page(form), 422


@blueprint.get("/mails/<mail_kind>/<mail_locale>")
@requires(Role.MANAGER)
def mail_wording_page(mail_kind: str, mail_locale: str) -> ResponseReturnValue:
    """Show the words of a mail in one language."""
    present = mail_wording.get(actor=current_actor(), kind=mail_kind, locale=mail_locale)
    return _page(WordingForm(formdata=None, obj=present), present)


@blueprint.post("/mails/<mail_kind>/<mail_locale>")
@requires(Role.MANAGER)
def change_mail_wording(mail_kind: str, mail_locale: str) -> ResponseReturnValue:
    """Use the shop's own words."""
    form, actor = WordingForm(), current_actor()
    try:
        key = request_key(form.words)
        mail_wording.save(actor=actor, kind=mail_kind, locale=mail_locale, **form.words, key=key)
    except ValidationError as refusal:
        return _refused(form, mail_kind, mail_locale, refusal)
    flash(gettext("The words are saved. The next mail uses them."))
    return redirect(url_for("office.mail_wording_page", mail_kind=mail_kind, mail_locale=mail_locale), 303)


@blueprint.post("/mails/<mail_kind>/<mail_locale>/reset")
@requires(Role.MANAGER)
def reset_mail_wording(mail_kind: str, mail_locale: str) -> ResponseReturnValue:
    """Use our words again."""
    mail_wording.reset(actor=current_actor(), kind=mail_kind, locale=mail_locale, key=request_key({}))
    flash(gettext("This mail uses the built-in words again."))
    return redirect(url_for("office.mail_wording_page", mail_kind=mail_kind, mail_locale=mail_locale), 303)


@blueprint.post("/mails/<mail_kind>/<mail_locale>/test")
@requires(Role.MANAGER)
def send_mail_test(mail_kind: str, mail_locale: str) -> ResponseReturnValue:
    """Mail these words to whoever is signed in; what was typed stays in the form."""
    form, actor = WordingForm(), current_actor()
    try:
        key = request_key(form.words)
        mail_wording.send_test(actor=actor, kind=mail_kind, locale=mail_locale, **form.words, at=now(), key=key)
    except ValidationError as refusal:
        return _refused(form, mail_kind, mail_locale, refusal)
    flash(gettext("A test is on its way to your own address."))
    return _page(form, mail_wording.get(actor=actor, kind=mail_kind, locale=mail_locale))


@blueprint.post("/mails/<mail_kind>/<mail_locale>/preview")
@requires(Role.MANAGER)
def preview_mail(mail_kind: str, mail_locale: str) -> ResponseReturnValue:
    """Show these words as a mail, in a frame that can do nothing."""
    form, look = WordingForm(), request.form.get("look", "light")
    try:
        words = mail_wording.preview(actor=current_actor(), kind=mail_kind, locale=mail_locale, **form.words)
    except ValidationError as refusal:
        form.explain(mail_kind, refusal)
        return make_response(render_template("mail/_refused.html", form=form), 422, security.shown_inside())
    if look == "text":
        page = render_template("mail/_text.html", subject=words.subject, text=words.text, locale=mail_locale)
    else:
        # A frame knows nothing of the day or night that somebody has chosen here.
        page = words.html.replace(_NIGHT, "@media all" if look == "dark" else "@media not all")
    return make_response(page, 200, security.shown_inside())


def _settings_form(obj: MailSettingsRow | None = None) -> MailSettingsForm:
    form = MailSettingsForm(obj=obj)
    if current_actor().role < Role.OWNER:
        # Managers get no such mail.
        del form.daily_digest
    return form


def _settings_page(form: MailSettingsForm) -> str:
    return render_template("office/mail_settings.html", form=form)


def _refused(form: WordingForm, kind: str, locale: str, refusal: ValidationError) -> ResponseReturnValue:
    form.explain(kind, refusal)
    return _page(form, mail_wording.get(actor=current_actor(), kind=kind, locale=locale), 422)


def _page(form: WordingForm, present: Wording, status: int = 200) -> ResponseReturnValue:
    page = render_template(
        "office/mail.html",
        form=form,
        wording=present,
        looks=LOOKS,
        mail_words=mail_words,
        languages_of_mails=LANGUAGES,
    )
    return make_response(page, status, security.show_inside())
