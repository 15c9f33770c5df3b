"""The page that asks before something ends."""

from collections.abc import Sequence

from flask import render_template, request

from loyalty.web.office.forms import KeyForm


def confirm_page(*, title: str, text: str, button: str, back: str, problems: Sequence[str] = ()) -> str:
    """Ask whether to do what a POST to this same address does."""
    form = KeyForm()
    form.form_errors.extend(problems)
    return render_template(
        "office/confirm.html", form=form, title=title, text=text, button=button, back=back, action=request.path
    )
