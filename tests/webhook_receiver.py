"""A shop's own software, listening for webhooks over a real socket on loopback."""

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Received:
    """One request as it came."""

    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Receiver:
    """What the software answers, and what it was sent. With `stall` it answers only after `release`."""

    port: int = 0
    status: int = 200
    answer: bytes = b"thank you"
    headers: dict[str, str] = field(default_factory=dict)
    stall: bool = False
    drip: bool = False
    received: list[Received] = field(default_factory=list)
    connections: int = 0
    _released: threading.Event = field(default_factory=threading.Event)

    @property
    def place(self) -> str:
        """Host and port, as the list of allowed places names them."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The address of its endpoint."""
        return f"http://{self.place}/hooks?shop=bakery"

    def release(self) -> None:
        """Answer whoever waits."""
        self._released.set()

    def wait(self, seconds: float) -> bool:
        """Wait for the release."""
        return self._released.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, receiver: Receiver) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.receiver = receiver
        receiver.port = self.server_address[1]

    def handle_error(self, request: object, client_address: object) -> None:
        """Whoever hangs up first is part of the tests."""

    def verify_request(self, request: object, client_address: object) -> bool:
        """Count who connects."""
        self.receiver.connections += 1
        return True


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        """Keep a message and answer as told."""
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers["Content-Length"]))
        receiver.received.append(Received(self.path, dict(self.headers.items()), body))
        if receiver.stall:
            receiver.wait(60)
        self.send_response(receiver.status)
        for name, value in receiver.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(receiver.answer)))
        self.end_headers()
        if receiver.drip:
            for byte in receiver.answer:
                self.wfile.write(bytes([byte]))
                if receiver.wait(0.05):
                    return
        self.wfile.write(receiver.answer)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing for the console."""


@contextmanager
def listening(certificate: tuple[Path, Path] | None = None) -> Iterator[Receiver]:
    """Run a receiver while the block lasts, encrypted with a certificate where one is given."""
    receiver = Receiver()
    server = _Server(receiver)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.release()
        server.shutdown()
        server.server_close()
        thread.join()


def make_certificate(folder: Path, host: str) -> tuple[Path, Path]:
    """Make a certificate for a host that signs itself; returns it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "hooks.pem", folder / "hooks.key"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    files[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return files
