"""A server that plays Apple's push service: HTTP/2 over TLS on loopback, open to holders of a pass certificate."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import ConnectionTerminated, RequestReceived, StreamEnded

from tests.apple_passes import certificates


@dataclass
class Answer:
    """What the server says to a push; `hang_up` closes the connection before, `go_away` after the answer.

    With `after` it says so when that has happened.
    """

    status: int = 200
    reason: str = ""
    timestamp: int | None = None
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False
    go_away: bool = False
    after: threading.Event | None = None


@dataclass
class Seen:
    """A push that arrived."""

    token: str
    headers: dict[str, str]
    body: bytes
    connection: int


class ApnsFake:
    """Answers pushes by token, or as `everybody` says, and keeps what it saw."""

    def __init__(self) -> None:
        self.everybody = Answer()
        self.by_token: dict[str, list[Answer]] = {}
        self.seen: list[Seen] = []
        self.connections = 0
        self.arrived = threading.Event()
        # Made before any thread asks: a cache that is filled twice gives two authorities.
        self._known = certificates()
        self._own = server_certificate()
        self._kept = threading.Condition()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._open: list[ssl.SSLSocket] = []

    @property
    def url(self) -> str:
        """Its address, as APNS_URL names it."""
        return f"https://localhost:{self._server.getsockname()[1]}"

    @property
    def tokens(self) -> list[str]:
        """The tokens that were pushed to, in order."""
        return [push.token for push in self.seen]

    def wait_for(self, count: int, seconds: float = 120) -> bool:
        """Wait until this many pushes have arrived."""
        with self._kept:
            return self._kept.wait_for(lambda: len(self.seen) >= count, seconds)

    def serve(self) -> None:
        """Take connections until the server ends."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._own)
        context.load_verify_locations(self._known.root)
        context.load_verify_locations(self._known.wwdr)
        # With a provider token no certificate comes.
        context.verify_mode = ssl.CERT_OPTIONAL
        context.set_alpn_protocols(["h2"])
        while True:
            try:
                plain, _ = self._server.accept()
            except OSError:
                return
            with suppress(OSError):
                plain.settimeout(60)
                connection = context.wrap_socket(plain, server_side=True)
                self._open.append(connection)
                self.connections += 1
                talk = threading.Thread(target=self._talk, args=(connection, self.connections), daemon=True)
                talk.start()

    def end(self) -> None:
        """Listen no more, and let everybody go."""
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
        for connection in self._open:
            with suppress(OSError):
                connection.close()

    def _talk(self, sock: ssl.SSLSocket, number: int) -> None:
        h2 = H2Connection(H2Configuration(client_side=False, header_encoding="utf-8"))
        h2.initiate_connection()
        has_certificate = bool(sock.getpeercert())
        asked: dict[int, dict[str, str]] = {}
        with suppress(OSError):
            sock.sendall(h2.data_to_send())
            while data := sock.recv(65535):
                for event in h2.receive_data(data):
                    if isinstance(event, RequestReceived):
                        asked[event.stream_id] = dict(event.headers)  # type: ignore[arg-type] # h2 decodes them
                    elif isinstance(event, StreamEnded):
                        stream = event.stream_id
                        if not self._reply(h2, stream, asked.pop(stream), number, has_certificate):
                            sock.sendall(h2.data_to_send())
                            sock.close()
                            return
                    elif isinstance(event, ConnectionTerminated):
                        return
                sock.sendall(h2.data_to_send())

    def _reply(self, h2: H2Connection, stream: int, headers: dict[str, str], number: int, known: bool) -> bool:
        """Answer one push; False where the connection ends."""
        token = headers[":path"].rpartition("/")[2]
        mine = self.by_token.get(token)
        answer = (mine.pop(0) if len(mine) > 1 else mine[0]) if mine else self.everybody
        self.arrived.set()
        if answer.after is not None:
            answer.after.wait(60)
        if answer.hang_up:
            return False
        with self._kept:
            self.seen.append(Seen(token, headers, b"{}", number))
            self._kept.notify_all()
        if not known and "authorization" not in headers:
            answer = Answer(403, "MissingProviderToken")
        said: dict[str, Any] = {"reason": answer.reason} if answer.reason else {}  # JSON
        said |= {"timestamp": answer.timestamp} if answer.timestamp is not None else {}
        body = json.dumps(said).encode() if said else b""
        fields = [(":status", str(answer.status)), ("apns-id", headers.get("apns-id", "")), *answer.headers.items()]
        h2.send_headers(stream, fields, end_stream=not body)
        if body:
            h2.send_data(stream, body, end_stream=True)
        if answer.go_away:
            h2.close_connection()
        return not answer.go_away


@contextmanager
def apns_server() -> Iterator[ApnsFake]:
    """Run the server while the block lasts."""
    fake = ApnsFake()
    thread = threading.Thread(target=fake.serve, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        fake.end()
        thread.join(60)


@cache
def server_certificate() -> Path:
    """Make the server's own certificate with its key, in one file, which is also the authority to trust."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, SHA256())
    )
    path = Path(mkdtemp(prefix="loyalty-apns-")) / "server.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path
