"""The outside world, over real sockets on loopback."""

import asyncio
import logging
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

logging.getLogger("mail.log").setLevel(logging.WARNING)


class _Anywhere(Controller):
    """aiosmtpd knocks at the port that it was told; told 0, it has to look which one it got."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call] # aiosmtpd types only a part of itself


class SmtpSink:
    """A mail server that keeps what it accepts. `mood` says how it behaves:

    accept, refuse (5xx to the address), refuse_mail (5xx to the mail), later (4xx to the address),
    later_mail (4xx to the mail), drop (takes the mail and hangs up before its answer),
    stall (answers the address only when `release` is called), stall_mail (keeps the mail, and answers as late).
    """

    def __init__(self) -> None:
        self.mood = "accept"
        self.mails: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.arrived = threading.Event()
        self._kept = threading.Condition()
        self._released = threading.Event()
        self._controller = _Anywhere(self, hostname="127.0.0.1", port=0)

    @property
    def url(self) -> str:
        """Its address, as MAIL_URL names it."""
        return f"smtp://127.0.0.1:{self._controller.port}"

    def start(self) -> None:
        """Listen."""
        self._controller.start()

    def stop(self) -> None:
        """Let waiting connections go and listen no more."""
        self.release()
        self._controller.stop()

    def release(self) -> None:
        """Answer whoever waits."""
        self._released.set()

    def wait_for(self, count: int, seconds: float = 120) -> bool:
        """Wait until this many mails were kept."""
        with self._kept:
            return self._kept.wait_for(lambda: len(self.mails) >= count, seconds)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer to the address of a recipient."""
        if self.mood == "stall":
            await self._stall()
        if self.mood == "refuse":
            return f"550 5.1.1 <{address}>: No such mailbox"
        if self.mood == "later":
            return "451 4.7.1 Greylisted, try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Answer to a whole mail."""
        if self.mood == "refuse_mail":
            return "554 5.7.1 This is not wanted here"
        if self.mood == "later_mail":
            return "452 4.3.1 Out of space"
        content = envelope.content
        assert isinstance(content, bytes)
        self.keep(content, envelope.rcpt_tos)
        if self.mood == "stall_mail":
            await self._stall()
        if self.mood == "drop":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 Kept"

    def keep(self, content: bytes, recipients: Sequence[str]) -> None:
        """Keep what was accepted."""
        mail = message_from_bytes(content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        with self._kept:
            self.mails.append(mail)
            self.recipients += recipients
            self._kept.notify_all()

    async def _stall(self) -> None:
        self.arrived.set()
        await asyncio.get_running_loop().run_in_executor(None, self._released.wait)


@contextmanager
def smtp_sink() -> Iterator[SmtpSink]:
    """Run a mail server while the block lasts."""
    sink = SmtpSink()
    sink.start()
    try:
        yield sink
    finally:
        sink.stop()
