"""PostgreSQL and Valkey as child processes, for `make run` and the tests; nothing outlives its parent."""

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from loyalty.embedded.children import EmbeddedError
from loyalty.embedded.postgres import APP, OWNER, Postgres
from loyalty.embedded.valkey import Valkey

__all__ = ["EmbeddedError", "Servers", "has_data", "published", "servers"]


@dataclass(frozen=True)
class Servers:
    """Where the running servers are found."""

    database_url: str
    database_owner_url: str
    redis_url: str
    postgres_bin: str


@contextlib.contextmanager
def servers(data: Path | None, *, durable: bool, env: Mapping[str, str]) -> Iterator[Servers]:
    """Run both servers while the block lasts, with their files under `data` or, for None, in a folder that goes."""
    with contextlib.ExitStack() as stack:
        if data is None:
            data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="loyalty-", ignore_cleanup_errors=True)))
            data.chmod(0o711)
        postgres = Postgres(data / "pg", durable=durable, env=env)
        stack.callback(postgres.stop)
        postgres.start()
        valkey = Valkey(data / "valkey", durable=durable, env=env)
        stack.callback(valkey.stop)
        valkey.start()
        yield Servers(postgres.url(APP), postgres.url(OWNER), valkey.url, str(postgres.bin))


@contextlib.contextmanager
def published(data: Path, running: Servers, *, port: str) -> Iterator[None]:
    """Tell other processes of the same data folder where everything is, while the block lasts."""
    path = data / "run" / "embedded.json"
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(running) | {"port": port}, file, indent=2)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def has_data(data: Path) -> bool:
    """Say whether a database was ever made in this data folder."""
    return (data / "pg" / "data" / "PG_VERSION").exists()
