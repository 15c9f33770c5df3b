"""Google Wallet as a server on this machine: tokens, classes, objects and root keys, with the rules that bite.

Real HTTP over a real socket; nothing of the product is in it. Tests arm it with trouble: `trouble` holds what the next
calls get instead of an answer.
"""

import json
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests import google_signer
from tests.google_rules import Resource, decoded, find_problem, merged, refused

EMAIL = "cards@bakery.iam.gserviceaccount.com"
SCOPE = "https://www.googleapis.com/auth/wallet_object.issuer"
# What google-auth names as the audience, wherever tokens are asked for.
AUDIENCE = "https://oauth2.googleapis.com/token"
BASE = "/walletobjects/v1"
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass(frozen=True)
class Trouble:
    """What one call gets instead of its answer: a status, a dead connection, or a wait before either."""

    status: int | None = None
    message: str = "made up for a test"
    reason: str = "backendError"
    headers: dict[str, str] = field(default_factory=dict)
    close: bool = False
    seconds: float = 0.0
    # The call is carried out, and only its answer is lost.
    after: bool = False


@dataclass(frozen=True)
class Call:
    """One call as it came in."""

    method: str
    path: str
    body: Resource | None
    at: float


class GoogleFake:
    """The state of the server; lock it to look at more than one thing at once."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.lock = threading.RLock()
        # Set at the end, so that nobody waits on for an answer that was to come late.
        self.stopped = threading.Event()
        self.resources: dict[str, dict[str, Resource]] = {"loyaltyClass": {}, "loyaltyObject": {}}
        self.calls: list[Call] = []
        self.trouble: deque[Trouble] = deque()
        self.token_trouble: deque[Trouble] = deque()
        self.tokens: set[str] = set()
        self.tokens_given = 0
        self.issuer_id = google_signer.ISSUER
        self.keys = google_signer.key_set()
        self.keys_headers = {"Cache-Control": "public, max-age=86400"}
        self.keys_asked = 0
        self.connections: Counter[tuple[str, int]] = Counter()

    @property
    def wallet_url(self) -> str:
        return f"{self.address}{BASE}"

    @property
    def keys_url(self) -> str:
        return f"{self.address}/keys"

    @property
    def classes(self) -> dict[str, Resource]:
        return self.resources["loyaltyClass"]

    @property
    def objects(self) -> dict[str, Resource]:
        return self.resources["loyaltyObject"]

    def methods(self) -> list[str]:
        """The calls so far, as `POST loyaltyObject`."""
        return [f"{call.method} {call.path.removeprefix(BASE).strip('/').split('/')[0]}" for call in self.calls]

    def account(self) -> dict[str, str]:
        """The key of a service account that this server believes."""
        pem = _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        return {
            "type": "service_account",
            "client_email": EMAIL,
            "private_key": pem,
            "private_key_id": "fa" * 20,
            "token_uri": f"{self.address}/token",
        }

    def account_file(self, folder: Path) -> Path:
        """The same as a file."""
        path = folder / "google-account.json"
        path.write_text(json.dumps(self.account()), encoding="utf-8")
        return path

    def forget_tokens(self) -> None:
        """From now on every access token that was given out is refused."""
        self.tokens.clear()

    def give_token(self, form: bytes) -> tuple[int, Resource]:
        """Answer the token endpoint: a signed assertion for an access token."""
        fields = parse_qs(form.decode())
        assertion = fields.get("assertion", [""])[0]
        if fields.get("grant_type") != ["urn:ietf:params:oauth:grant-type:jwt-bearer"] or not self._holds(assertion):
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}
        self.tokens_given += 1
        token = f"token-{self.tokens_given}"
        self.tokens.add(token)
        return 200, {"access_token": token, "expires_in": 3599, "token_type": "Bearer"}

    def write(self, method: str, kind: str, resource_id: str, body: Resource, if_match: str) -> tuple[int, Resource]:
        """Insert, patch or replace, as Google does it."""
        held = self.resources[kind]
        if method == "POST":
            resource_id = str(body.get("id", ""))
            if resource_id in held:
                return refused(409, f"{kind} {resource_id} already exists.", "existingResource")
            changed = merged({}, body)
        elif resource_id not in held:
            return refused(404, f"{kind} {resource_id} not found.", f"{kind[7:].lower()}NotFound")
        elif if_match and if_match != held[resource_id]["version"]:
            return refused(412, "Precondition check failed.", "conditionNotMet")
        else:
            changed = merged(held[resource_id] if method == "PATCH" else {}, body)
        problem = find_problem(kind, changed, sent=body, issuer_id=self.issuer_id, classes=self.classes)
        if problem:
            return refused(*problem)
        # Asked for in each write anew, and never kept.
        changed.pop("notifyPreference", None)
        changed["version"] = str(int(held.get(resource_id, {}).get("version", "0")) + 1)
        if kind == "loyaltyClass":
            changed["reviewStatus"] = "APPROVED"
        held[resource_id] = changed
        return 200, changed

    def _holds(self, assertion: str) -> bool:
        try:
            signed, _, signature = assertion.rpartition(".")
            _KEY.public_key().verify(decoded(signature), signed.encode(), padding.PKCS1v15(), SHA256())
            claims = json.loads(decoded(signed.split(".")[1]))
        except (ValueError, InvalidSignature, IndexError):
            return False
        wanted = {"iss": EMAIL, "aud": AUDIENCE, "scope": SCOPE}
        return bool(wanted.items() <= claims.items() and claims["iat"] - 60 <= time.time() < claims["exp"])


@contextmanager
def google_server() -> Iterator[GoogleFake]:
    """Serve on a free port of this machine for as long as the block lasts."""
    server = _Server(("127.0.0.1", 0), _Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server.fake
    finally:
        server.fake.stopped.set()
        server.shutdown()
        server.server_close()
        server.hang_up()
        thread.join()


class _Server(ThreadingHTTPServer):
    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        super().__init__(address, handler)
        self.fake = GoogleFake(f"http://127.0.0.1:{self.server_port}")
        self.open: set[socket.socket] = set()

    def hang_up(self) -> None:
        """Close what is still open: a server that is gone answers on no old connection either."""
        for connection in list(self.open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # One packet for headers and body: Nagle and delayed acknowledgements cost 40 ms a call otherwise.
    wbufsize = -1
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        assert isinstance(self.server, _Server)
        self.fake = self.server.fake
        self.server.open.add(self.connection)

    def finish(self) -> None:
        assert isinstance(self.server, _Server)
        self.server.open.discard(self.connection)
        # Whoever called may be gone by now.
        with suppress(OSError):
            super().finish()

    def do_GET(self) -> None:
        if self.path == "/keys":
            self.fake.keys_asked += 1
            self._answer(200, self.fake.keys, self.fake.keys_headers)
        else:
            self._resource()

    def do_POST(self) -> None:
        if self.path == "/token":
            form = self._body()
            self._after(self.fake.token_trouble, lambda: self.fake.give_token(form))
        else:
            self._resource()

    def do_PATCH(self) -> None:
        self._resource()

    def do_PUT(self) -> None:
        self._resource()

    def do_DELETE(self) -> None:
        self._answer(*refused(405, "Nothing can be deleted.", "methodNotAllowed"))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the tests speak."""

    def _resource(self) -> None:
        raw = self._body()
        path = urlsplit(self.path).path
        body = json.loads(raw) if raw else None
        with self.fake.lock:
            self.fake.calls.append(Call(self.command, path, body, time.monotonic()))
            self.fake.connections[self.client_address] += 1
        self._after(self.fake.trouble, lambda: self._carry_out(path, body))

    def _after(self, troubles: deque[Trouble], carry_out: Callable[[], tuple[int, Resource]]) -> None:
        with self.fake.lock:
            trouble = troubles.popleft() if troubles else Trouble()
        if trouble.seconds:
            self.fake.stopped.wait(trouble.seconds)
        with self.fake.lock:
            answer = carry_out() if trouble.after or not (trouble.close or trouble.status) else (0, {})
        if trouble.close:
            self.close_connection = True
            self.connection.close()
        elif trouble.status:
            self._answer(*refused(trouble.status, trouble.message, trouble.reason), trouble.headers)
        else:
            self._answer(*answer)

    def _carry_out(self, path: str, body: Resource | None) -> tuple[int, Resource]:
        if self.headers.get("Authorization", "").removeprefix("Bearer ") not in self.fake.tokens:
            return refused(401, "Request had invalid authentication credentials.", "authError")
        kind, _, resource_id = path.removeprefix(BASE).strip("/").partition("/")
        if (
            not path.startswith(BASE)
            or kind not in self.fake.resources
            or (self.command == "POST") == bool(resource_id)
        ):
            return refused(404, "Not Found", "notFound")
        if self.command == "GET":
            found = self.fake.resources[kind].get(resource_id)
            return (200, found) if found else refused(404, f"{kind} {resource_id} not found.", "resourceNotFound")
        if not isinstance(body, dict):
            return refused(400, "Invalid JSON payload received.", "parseError")
        return self.fake.write(self.command, kind, resource_id, body, self.headers.get("If-Match", ""))

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", "0")))

    def _answer(self, status: int, body: Resource | bytes, headers: dict[str, str] | None = None) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=UTF-8")
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
        with suppress(OSError):
            self.wfile.flush()
