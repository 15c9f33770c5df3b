"""The WSGI application: `gunicorn wsgi:app`, `flask --app wsgi`."""

import sys

from config import Config, ConfigError
from loyalty.app import create_app

try:
    app = create_app(Config.from_env())
except ConfigError as error:
    # One line for the person who starts it: a traceback would hide what is wrong.
    sys.stderr.write(f"{error}\n")
    sys.exit(2)
