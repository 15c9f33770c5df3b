"""The one place where all parts meet."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask
from flask_migrate import Migrate
from jinja2 import StrictUndefined
from redis.backoff import NoBackoff
from redis.retry import Retry
from werkzeug.middleware.proxy_fix import ProxyFix

from loyalty import cli, database, logs, models, queue, web
from loyalty.adapters.apns import ApnsPusher
from loyalty.adapters.apns_token import ApnsKeyError, ProviderToken
from loyalty.adapters.google_api import make_google_api
from loyalty.adapters.google_keys import fetch_keys, read_keys
from loyalty.adapters.mail import make_mailer
from loyalty.adapters.webhook import WebhookSender
from loyalty.database import CONNECT_OPTIONS, check_open, db
from loyalty.domain.stamp_grid import stamp_grid
from loyalty.jobs import apple as apple_jobs
from loyalty.jobs import google as google_jobs
from loyalty.jobs import handlers
from loyalty.jobs import webhooks as webhook_jobs
from loyalty.services import google_passes, images, messages, passes, pins, sealing, webhooks
from loyalty.services.google_passes import GooglePasses
from loyalty.wallets.apple import ApplePasses, AppleSetupError
from loyalty.wallets.faces import apple_face, google_face
from loyalty.wallets.google_account import AccountError, load_account
from loyalty.wallets.google_keys import RootKeys
from loyalty.wallets.qr import address_svg, poster_svg, qr_svg

if TYPE_CHECKING:
    from config import Config, GoogleConfig
    from config_apple import AppleConfig

log = logging.getLogger(__name__)
ROOT = Path(__file__).resolve().parent.parent

# Counting how often somebody asks must never hold up a till: where Valkey hangs, the process counts by itself.
LIMITS_STORAGE = {"socket_connect_timeout": 0.05, "socket_timeout": 0.1, "retry": Retry(NoBackoff(), 0)}


def create_app(config: Config) -> Flask:
    """Build the application from a checked configuration; imports and calls nothing outside this machine."""
    app = Flask("loyalty", static_folder=None, template_folder=str(ROOT / "templates"))
    app.config.from_mapping(_settings(config))
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    # Drawing a code takes 10 ms, as much as the rest of a page, and who looks at a card or poster looks at it again.
    codes = {draw.__name__: lru_cache(maxsize=256)(draw) for draw in (qr_svg, address_svg, poster_svg)}
    # The pass card is drawn by one macro on every surface.
    app.jinja_env.globals.update(codes, stamp_grid=stamp_grid, apple_face=apple_face, google_face=google_face)
    if config.trusted_proxies:
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign] # Flask's way
    logs.configure()
    db.init_app(app)
    Migrate(app, db, directory=str(ROOT / "migrations"), compare_type=True)
    connect(config)
    web.register(app)
    cli.register(app)
    return app


def connect(config: Config) -> None:
    """Give the services and jobs of this process what they need of a configuration; the last one counts."""
    database.configure(clock_offset=config.clock_offset)
    queue.configure(redis_url=config.redis_url)
    pins.configure(pepper=config.pin_pepper)
    images.configure(folder=config.data_dir / "images")
    messages.configure(public_url=config.public_url, mail_from=config.mail_from, secret_key=config.secret_key)
    handlers.configure(mailer=make_mailer(config.mail_url, config.mail_from, config.data_dir))
    sealing.configure(secret_key=config.secret_key)
    webhooks.configure(allowed=config.webhook_allow)
    webhook_jobs.configure(sender=WebhookSender(allowed=config.webhook_allow))
    _connect_apple(config)
    _connect_google(config)


def _connect_apple(config: Config) -> None:
    """Build what makes Apple passes and pushes. Certificates that cannot be used switch them off, never the till."""
    apple: ApplePasses | None = None
    apns: ApnsPusher | None = None
    reason = ""
    if config.apple is not None:
        try:
            apple = _apple_passes(config.apple, config)
            apns = _apple_pushes(config.apple)
        except (AppleSetupError, ApnsKeyError) as error:
            log.warning("Apple passes are off: %s", error)
            apple, reason = None, f"Apple passes are off: {error}"
    passes.configure(apple=apple, reason=reason)
    apple_jobs.configure(apns=apns)


def _apple_passes(settings: AppleConfig, config: Config) -> ApplePasses:
    service = f"{config.public_url}/api/v1/loyalty/apple"
    return ApplePasses(
        certificate_file=settings.certificate_file,
        key_file=settings.key_file,
        wwdr_file=settings.wwdr_file,
        pass_type_id=settings.pass_type_id,
        team_id=settings.team_id,
        # Phones refuse a service without https; a pass of a shop's own network just never changes.
        web_service_url=service if config.https or config.loopback else None,
        at=datetime.now(UTC),
    )


def _apple_pushes(settings: AppleConfig) -> ApnsPusher | None:
    if settings.apns_url is None:
        return None
    token = None
    if settings.apns_key_file and settings.apns_key_id:
        token = ProviderToken(key_file=settings.apns_key_file, key_id=settings.apns_key_id, team_id=settings.team_id)
    return ApnsPusher(
        url=settings.apns_url,
        topic=settings.pass_type_id,
        certificate_file=settings.certificate_file,
        key_file=settings.key_file,
        token=token,
    )


def _connect_google(config: Config) -> None:
    """Build what speaks to Google Wallet. An account that cannot be used switches it off, never the till."""
    settings = config.google
    if settings is None:
        google_passes.configure(google=None)
        google_jobs.configure(api=None, roots=None)
        return
    try:
        account = load_account(settings.service_account_file)
        api = make_google_api(
            account=account.info,
            base_url=settings.wallet_url,
            issuer_id=settings.issuer_id,
            redis_url=config.redis_url,
        )
    except (AccountError, ValueError) as error:
        log.warning("Google Wallet is off: %s", error)
        google_passes.configure(google=None, reason=f"Google Wallet is off: {error}")
        google_jobs.configure(api=None, roots=None)
        return
    google = GooglePasses(account=account, issuer_id=settings.issuer_id, public_url=config.public_url.rstrip("/"))
    google_passes.configure(google=google)
    if not google_passes.is_on():
        log.warning("Google Wallet is off: %s", google_passes.reason_off())
    google_jobs.configure(api=api, roots=_google_roots(settings, config.data_dir))


def _google_roots(settings: GoogleConfig, data_dir: Path) -> RootKeys:
    if settings.callback_keys_file is not None:
        return RootKeys(partial(read_keys, settings.callback_keys_file))
    return RootKeys(partial(fetch_keys, settings.callback_keys_url), data_dir / "wallet" / "google-root-keys.json")


def _settings(config: Config) -> dict[str, object]:
    prefix = "__Host-" if config.https else ""
    return {
        "CONFIG": config,
        "SECRET_KEY": config.secret_key,
        "SQLALCHEMY_DATABASE_URI": config.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "pool_events": [(check_open, "checkout")],
            "pool_size": 8,
            "max_overflow": 8,
            "pool_timeout": 4,
            "connect_args": {"options": CONNECT_OPTIONS, "connect_timeout": 3},
        },
        "SESSION_COOKIE_NAME": f"{prefix}session",
        "TERMINAL_COOKIE_NAME": f"{prefix}terminal",
        "BROWSER_COOKIE_NAME": f"{prefix}browser",
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
        "RATELIMIT_STORAGE_OPTIONS": dict(LIMITS_STORAGE),
        "BABEL_TRANSLATION_DIRECTORIES": str(ROOT / "translations"),
        "BABEL_DEFAULT_TIMEZONE": "UTC",
    }


__all__ = ["connect", "create_app", "models"]
