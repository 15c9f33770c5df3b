"""The blueprint that the views for Apple's phones register themselves with."""

from flask import Blueprint

blueprint = Blueprint("apple", __name__, url_prefix="/api/v1/loyalty")
# What Apple calls the address of the web service; phones add the version themselves.
SERVICE = "/apple/v1"
