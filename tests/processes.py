"""Processes of the product that a test starts, with the configuration of that test."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from config import Config

_SETUP = """
import sys
from config import Config
from loyalty.app import create_app
app = create_app(Config.from_env())
"""


@contextmanager
def python(
    program: str, *args: str, config: Config, talk: bool = False, **settings: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program that finds the application in `app`; it is asked to stop, then killed, when the block ends.

    With `talk` its input and output are pipes.
    """
    environment = {
        **os.environ,
        "SECRET_KEY": config.secret_key,
        "PIN_PEPPER": config.pin_pepper.decode(),
        "DATABASE_URL": config.database_url,
        "REDIS_URL": config.redis_url,
        "MAIL_FROM": config.mail_from,
        "DATA_DIR": str(config.data_dir),
        "PYTHONPATH": os.pathsep.join(sys.path),
        **settings,
    }
    pipe = subprocess.PIPE if talk else None
    command = [sys.executable, "-c", _SETUP + program, *args]
    process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe)
    try:
        yield process
    finally:
        # Asked first: a worker that watches another one takes it along.
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
