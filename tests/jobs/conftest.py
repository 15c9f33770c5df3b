"""A mail server, and the jobs connected to it."""

from collections.abc import Iterator

import pytest

from config import Config
from loyalty.adapters.mail import SmtpMailer, make_mailer
from loyalty.jobs import handlers
from tests.fakes import SmtpSink, smtp_sink
from tests.google_platform import google

__all__ = ["google", "sink"]


@pytest.fixture
def sink(config: Config) -> Iterator[SmtpSink]:
    """A mail server that takes the mails of this test."""
    with smtp_sink() as running:
        handlers.configure(mailer=SmtpMailer(running.url, config.mail_from))
        yield running
    handlers.configure(mailer=make_mailer(config.mail_url, config.mail_from, config.data_dir))
