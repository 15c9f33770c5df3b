"""The surfaces: every blueprint, who may enter, and how a refusal looks."""

from flask import Flask

from loyalty.web import access, assets, errors, forms, limits, locale, security
from loyalty.web import health as health_pages
from loyalty.web import theme as theme_pages
from loyalty.web.office import office
from loyalty.web.public import public
from loyalty.web.terminal import terminal


def register(app: Flask) -> None:
    """Wire the web into the application."""
    assets.init(app)
    locale.init(app)
    forms.init(app)
    limits.init(app)
    access.init(app)
    security.init(app)
    errors.init(app)
    for blueprint in (health_pages.health, theme_pages.theme, public, terminal, office):
        app.register_blueprint(blueprint)
