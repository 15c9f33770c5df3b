"""Mail over SMTP, or into files where no server is configured."""

import re
import smtplib
import ssl
from collections.abc import Callable
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from ipaddress import ip_address
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from loyalty.adapters import NobodyThere, Rejected, Unanswered, Unavailable
from loyalty.domain.mails import RenderedMail

# For each step of the conversation; a step that takes longer counts as no connection.
_SECONDS = 10.0
_SENDER_NAME_LENGTH = 64
# Of RFC 3463: no such mailbox, no such system, bad syntax, mailbox has moved, domain takes no mail, mailbox disabled.
_WRONG_ADDRESS = {("1", "1"), ("1", "2"), ("1", "3"), ("1", "6"), ("1", "10"), ("2", "1")}


class Mailer(Protocol):
    """Whatever takes a mail off our hands."""

    def send(self, mail: RenderedMail, leaving: Callable[[], bool]) -> bool:
        """Hand a mail over. `leaving` is asked at the last moment at which it can stay; False if it stayed."""

    def forget(self, message_id: str) -> None:
        """Delete the copy of a mail that was kept here, if any was."""


def make_mailer(mail_url: str | None, mail_from: str, data_dir: Path) -> Mailer:
    """Build what MAIL_URL asks for: a mail server, or files under the data folder."""
    return SmtpMailer(mail_url, mail_from) if mail_url else FileMailer(data_dir / "mail", mail_from)


def compose(mail: RenderedMail, mail_from: str) -> EmailMessage:
    """Write the headers and both bodies; EmailMessage refuses line breaks in any header."""
    message = EmailMessage(policy=SMTP)
    name, address = parseaddr(mail_from)
    message["From"] = Address(_display_name(mail.sender_name) or name, addr_spec=address)
    message["To"] = Address(addr_spec=mail.recipient)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(mail.written_at)
    message["Message-ID"] = mail.message_id
    # Asks holiday notes and the like not to answer.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    if mail.unsubscribe:
        message["List-Unsubscribe"] = f"<{mail.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    # Set before, it would have moved into the first of the two bodies.
    message["Content-Language"] = mail.locale
    return message


class FileMailer:
    """Keeps mails as files, for a platform without a mail server."""

    def __init__(self, folder: Path, mail_from: str) -> None:
        self.folder = folder
        self.mail_from = mail_from

    def send(self, mail: RenderedMail, leaving: Callable[[], bool]) -> bool:
        """Write the mail as <Message-ID>.eml; the same mail is the same file."""
        message = compose(mail, self.mail_from)
        if not leaving():
            return False
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._draft(mail.message_id)
        draft.write_bytes(message.as_bytes())
        # Renaming is one step: a reader sees the whole mail or none.
        draft.replace(draft.with_suffix(".eml"))
        return True

    def forget(self, message_id: str) -> None:
        """Delete the file of a mail, and what a killed worker left of it."""
        draft = self._draft(message_id)
        for path in (draft, draft.with_suffix(".eml")):
            path.unlink(missing_ok=True)

    def _draft(self, message_id: str) -> Path:
        name = re.sub(r"[^A-Za-z0-9-]", "", message_id.partition("@")[0])
        return self.folder / f"{name}.draft"


class SmtpMailer:
    """Speaks SMTP: smtps:// from the first byte encrypted, smtp:// with STARTTLS where the server offers it."""

    def __init__(self, mail_url: str, mail_from: str) -> None:
        parts = urlsplit(mail_url)
        self.mail_from = mail_from
        self.encrypted = parts.scheme == "smtps"
        self.host = parts.hostname or ""
        self.user = unquote(parts.username or "")
        self.password = unquote(parts.password or "")
        self.port = parts.port or (465 if self.encrypted else 587 if self.user else 25)

    def send(self, mail: RenderedMail, leaving: Callable[[], bool]) -> bool:
        """Deliver to the server; Unavailable and Rejected are raised only where it certainly has not got the mail."""
        message = compose(mail, self.mail_from)
        try:
            smtp = self._connect()
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(f"{type(error).__name__}: {error}") from error
        try:
            return self._converse(smtp, mail, message.as_bytes(), leaving)
        finally:
            # After the last answer nothing is owed: a quiet close cannot turn a success into an error.
            smtp.close()

    def forget(self, message_id: str) -> None:
        """Do nothing: no copy is kept here of what a mail server has taken."""

    def _connect(self) -> smtplib.SMTP:
        if self.encrypted:
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=_SECONDS, context=ssl.create_default_context()
            )
        else:
            smtp = smtplib.SMTP(self.host, self.port, timeout=_SECONDS)
        try:
            self._greet(smtp)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _greet(self, smtp: smtplib.SMTP) -> None:
        """Encrypt and sign in. A refused password is the platform's trouble, not the mail's: it is tried again."""
        smtp.ehlo_or_helo_if_needed()
        if not self.encrypted and smtp.has_extn("starttls"):
            smtp.starttls(context=ssl.create_default_context())
            smtp.ehlo()
        elif self.user and not self.encrypted and not _is_loopback(self.host):
            raise Unavailable(f"{self.host} offers no STARTTLS, and a password is not sent in the clear.")
        if self.user:
            smtp.login(self.user, self.password)

    def _converse(self, smtp: smtplib.SMTP, mail: RenderedMail, body: bytes, leaving: Callable[[], bool]) -> bool:
        sender = parseaddr(self.mail_from)[1]
        try:
            _expect(250, smtp.mail(sender))
            _expect(250, _known(smtp.rcpt(mail.recipient)))
            _expect(354, smtp.docmd("DATA"))
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(f"{type(error).__name__}: {error}") from error
        if not leaving():
            return False
        try:
            # A line that begins with a dot is doubled, and a dot alone ends the mail (RFC 5321, 4.5.2).
            smtp.send(re.sub(rb"(?m)^\.", b"..", body) + b".\r\n")
            answer = smtp.getreply()
        except (OSError, smtplib.SMTPException) as error:
            raise Unanswered(f"{type(error).__name__}: {error}") from error
        _expect(250, answer)
        return True


def _expect(wanted: int, answer: tuple[int, bytes]) -> None:
    code, words = answer
    if code == wanted or (wanted == 250 and 200 <= code < 300):
        return
    reason = f"{code} {words.decode('utf-8', 'replace')}"
    raise Rejected(reason) if 500 <= code < 600 else Unavailable(reason)


def _known(answer: tuple[int, bytes]) -> tuple[int, bytes]:
    """Raise where the address itself is wrong; other refusals (5.7.1 and the like) are about us or the mail."""
    code, words = answer[0], answer[1].decode("utf-8", "replace")
    status = re.match(r"5\.(\d+)\.(\d+)", words)
    if code in (550, 551, 553) and (status is None or status.groups() in _WRONG_ADDRESS):
        raise NobodyThere(f"{code} {words}")
    return answer


def _display_name(name: str) -> str:
    """Return a shop's name as it may stand before an address: short, printable, nothing that looks like one."""
    printable = "".join(letter if letter.isprintable() else " " for letter in name)
    return " ".join(re.sub(r"@|https?:|/", " ", printable).split())[:_SENDER_NAME_LENGTH]


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
