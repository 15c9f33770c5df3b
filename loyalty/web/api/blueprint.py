"""The blueprint that the operations of the JSON API register themselves with."""

from flask import Blueprint

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
