"""A mail server, and the jobs connected to it."""

from collections.abc import Iterator

import pytest

from config import Config
from loyalty.adapters.mail import SmtpMailer, make_mailer
from loyalty.adapters.webhook import WebhookSender
from loyalty.jobs import handlers
from loyalty.jobs import webhooks as webhook_jobs
from loyalty.services import webhooks
from tests.bulk import root, shop
from tests.fakes import SmtpSink, smtp_sink
from tests.google_platform import google
from tests.jobs.webhook_world import allow
from tests.webhook_receiver import Receiver, listening

__all__ = ["google", "root", "shop", "sink"]


@pytest.fixture
def sink(config: Config) -> Iterator[SmtpSink]:
    """A mail server that takes the mails of this test."""
    with smtp_sink() as running:
        handlers.configure(mailer=SmtpMailer(running.url, config.mail_from))
        yield running
    handlers.configure(mailer=make_mailer(config.mail_url, config.mail_from, config.data_dir))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Software that listens at a private place which this platform may tell."""
    with listening() as running:
        allow(running.place)
        yield running
    webhooks.configure()
    webhook_jobs.configure(sender=WebhookSender())
