"""The one place where all parts meet."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from flask_migrate import Migrate
from jinja2 import StrictUndefined
from redis.backoff import NoBackoff
from redis.retry import Retry
from werkzeug.middleware.proxy_fix import ProxyFix

from loyalty import cli, database, logs, models, queue, web
from loyalty.adapters.mail import make_mailer
from loyalty.database import CONNECT_OPTIONS, db
from loyalty.domain.stamp_grid import stamp_grid
from loyalty.jobs import handlers
from loyalty.services import images, messages, pins
from loyalty.wallets.qr import address_svg, qr_svg

if TYPE_CHECKING:
    from config import Config

ROOT = Path(__file__).resolve().parent.parent

# Counting how often somebody asks must never hold up a till: where Valkey hangs, the process counts by itself.
LIMITS_STORAGE = {"socket_connect_timeout": 0.05, "socket_timeout": 0.1, "retry": Retry(NoBackoff(), 0)}


def create_app(config: Config) -> Flask:
    """Build the application from a checked configuration; imports and calls nothing outside this machine."""
    app = Flask("loyalty", static_folder=None, template_folder=str(ROOT / "templates"))
    app.config.from_mapping(_settings(config))
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    # The pass card is drawn by one macro on every surface.
    app.jinja_env.globals.update(stamp_grid=stamp_grid, qr_svg=qr_svg, address_svg=address_svg)
    if config.trusted_proxies:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    logs.configure()
    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "migrations"), compare_type=True)
    database.configure(clock_offset=config.clock_offset)
    queue.configure(redis_url=config.redis_url)
    pins.configure(pepper=config.pin_pepper)
    images.configure(folder=config.data_dir / "images")
    messages.configure(public_url=config.public_url, mail_from=config.mail_from, secret_key=config.secret_key)
    handlers.configure(mailer=make_mailer(config.mail_url, config.mail_from, config.data_dir))
    web.register(app)
    cli.register(app)
    return app


def _settings(config: Config) -> dict[str, object]:
    prefix = "__Host-" if config.https else ""
    return {
        "CONFIG": config,
        "SECRET_KEY": config.secret_key,
        "SQLALCHEMY_DATABASE_URI": config.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "pool_pre_ping": True,
            "pool_size": 8,
            "max_overflow": 8,
            "pool_timeout": 4,
            "connect_args": {"options": CONNECT_OPTIONS, "connect_timeout": 3},
        },
        "SESSION_COOKIE_NAME": f"{prefix}session",
        "TERMINAL_COOKIE_NAME": f"{prefix}terminal",
        "SESSION_COOKIE_SECURE": config.https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": timedelta(days=365),
        "SESSION_REFRESH_EACH_REQUEST": False,
        # Terms of 20,000 letters, each of them up to nine characters long on the way.
        "MAX_CONTENT_LENGTH": 256 * 1024,
        "MAX_FORM_MEMORY_SIZE": 256 * 1024,
        "WTF_CSRF_TIME_LIMIT": None,
        # The referrer check needs Referer headers, which token pages do not send; Sec-Fetch-Site is checked instead.
        "WTF_CSRF_SSL_STRICT": False,
        "RATELIMIT_ENABLED": config.rate_limits,
        "RATELIMIT_STORAGE_URI": config.redis_url.replace("unix://", "redis+unix://", 1),
        "RATELIMIT_STORAGE_OPTIONS": LIMITS_STORAGE,
        "BABEL_TRANSLATION_DIRECTORIES": str(ROOT / "translations"),
        "BABEL_DEFAULT_TIMEZONE": "UTC",
    }


__all__ = ["create_app", "models"]
