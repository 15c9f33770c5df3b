"""The blueprint that the views of the office register themselves with."""

from flask import Blueprint

blueprint = Blueprint("office", __name__, url_prefix="/office")
