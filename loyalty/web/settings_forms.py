"""What all forms of settings share: one check per setting, its sentence beside the field, nothing typed is lost."""

import hashlib
from collections.abc import Mapping
from typing import ClassVar

from flask import request
from flask_wtf import FlaskForm

from loyalty.domain.settings import Check, SettingError, find_problems
from loyalty.errors import ValidationError
from loyalty.web.locale import number
from loyalty.web.sentences import gettext


class SettingsForm(FlaskForm):  # type: ignore[misc] # Flask-WTF publishes no types
    """A form whose fields are named as the settings they change."""

    checks: ClassVar[Mapping[str, Check]] = {}

    @property
    def values(self) -> dict[str, object]:
        """What was typed, read, of all fields that are settings."""
        return {field.name: field.data for field in self if field.name in self.checks}

    @property
    def drawn(self) -> str:
        """What the page showed before anybody typed, as marks that the form brings along."""
        return request.form.get("drawn") or " ".join(f"{name}={_mark(value)}" for name, value in self.values.items())

    @property
    def changes(self) -> dict[str, object]:
        """What was changed on the page: what somebody else has saved meanwhile stays where it was not touched."""
        shown = set(request.form.get("drawn", "").split())
        return {name: value for name, value in self.values.items() if f"{name}={_mark(value)}" not in shown}

    @property
    def right_values(self) -> dict[str, object]:
        """What was typed, without the fields that could not be read."""
        return {name: value for name, value in self.values.items() if not self[name].errors}

    def validate(self, extra_validators: Mapping[str, object] | None = None) -> bool:
        """Read all fields, then ask the domain about each of those that could be read."""
        readable = bool(super().validate(extra_validators))
        problems = find_problems(self.checks, self.right_values)
        for name, problem in problems.items():
            self[name].errors = [self.say(self[name], problem)]
        return readable and not problems

    def take(self, refusal: ValidationError) -> None:
        """Put what a service refused beside its fields; the rest stands above the form."""
        for name, sentence in refusal.errors.items():
            target = self[name].errors if name in self else self.form_errors
            target[:] = [*target, gettext(sentence)]

    def say(self, _field: object, problem: SettingError) -> str:
        """Put into words what is wrong with a field."""
        return gettext(problem.sentence, **{name: number(value) for name, value in problem.details.items()})


def _mark(value: object) -> str:
    """Return a few letters that stand for a value, however browsers send it: lines, colours, nothing."""
    # In whichever order several were chosen.
    kept = sorted(map(str, value)) if isinstance(value, list | tuple) else value
    plain = "" if kept is None else str(kept).replace("\r\n", "\n").strip()
    plain = plain.upper() if plain.startswith("#") else plain
    return hashlib.sha256(plain.encode(errors="replace")).hexdigest()[:12]
