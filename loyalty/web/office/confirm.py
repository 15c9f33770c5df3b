"""The page that asks before something ends."""

from collections.abc import Sequence

from flask import render_template, request

from loyalty.web.office.forms import KeyForm


def confirm_page(
    *, title: str, text: str, button: str, back: str, final: bool = False, problems: Sequence[str] = ()
) -> str:
    """Ask whether to do what a POST to this same address does; `final` is what nobody can undo."""
    form = KeyForm()
    form.form_errors.extend(problems)
    words = {"title": title, "text": text, "button": button, "back": back, "is_final": final}
    return render_template("office/confirm.html", form=form, action=request.path, **words)
