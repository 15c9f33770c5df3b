"""The blueprint that the views of the platform register themselves with."""

from flask import Blueprint

blueprint = Blueprint("admin", __name__, url_prefix="/admin")
