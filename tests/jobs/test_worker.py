"""The worker process: rung for or not, killed or stopped."""

import re
import signal
import subprocess
from pathlib import Path

import pytest
import redis

from config import Config
from tests.factories import make_shop
from tests.fakes import SmtpSink
from tests.mails import make_mail
from tests.processes import python

pytestmark = pytest.mark.usefixtures("context")

WORKER = "from loyalty.jobs import worker; worker.run(app)"


def test_it_delivers_what_is_rung_for_survives_a_kill_and_stops_when_asked(
    config: Config, sink: SmtpSink, valkey: "redis.Redis"
) -> None:
    shop = make_shop()
    with python(WORKER, config=config, MAIL_URL=sink.url) as parent:
        make_mail(shop)
        assert sink.wait_for(1)
        _kill_child(parent)
        make_mail(shop)
        assert sink.wait_for(2)
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(30) == 0
    assert len(sink.mails) == 2


def test_it_delivers_although_the_queue_was_flushed(config: Config, sink: SmtpSink, valkey: "redis.Redis") -> None:
    shop = make_shop()
    make_mail(shop)
    valkey.flushdb()
    with python(WORKER, config=config, MAIL_URL=sink.url):
        assert sink.wait_for(1)


def test_it_delivers_although_redis_is_away(config: Config, sink: SmtpSink, tmp_path: Path) -> None:
    make_mail()
    nowhere = f"unix://{tmp_path}/nobody.sock?db=0"
    with python(WORKER, config=config, MAIL_URL=sink.url, REDIS_URL=nowhere) as parent:
        assert sink.wait_for(1)
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(30) == 0


def _kill_child(parent: "subprocess.Popen[bytes]") -> None:
    """Kill the process that works, not the one that watches it."""
    listed = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent.pid)], capture_output=True, text=True, check=True)
    (child,) = re.findall(r"\d+", listed.stdout)
    subprocess.run(["kill", "-9", child], check=True)
