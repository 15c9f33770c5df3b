"""The surfaces: every blueprint, who may enter, and how a refusal looks."""

from flask import Flask

from loyalty.web import (
    access,
    addresses,
    admin,
    api,
    apple,
    assets,
    errors,
    forms,
    google,
    health,
    images,
    limits,
    locale,
    office,
    public,
    request_log,
    security,
    sessions,
    start,
    terminal,
    theme,
    trouble_words,
)

BLUEPRINTS = (
    admin.blueprint,
    api.blueprint,
    apple.blueprint,
    google.blueprint,
    health.blueprint,
    images.blueprint,
    office.blueprint,
    public.blueprint,
    start.blueprint,
    terminal.blueprint,
    theme.blueprint,
)


def register(app: Flask) -> None:
    """Wire the web into the application."""
    addresses.init(app)
    request_log.init(app)
    sessions.init(app)
    assets.init(app)
    locale.init(app)
    forms.init(app)
    limits.init(app)
    access.init(app)
    security.init(app)
    errors.init(app)
    trouble_words.init(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
