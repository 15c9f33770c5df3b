"""The blueprint that the views around Google Wallet register themselves with."""

from flask import Blueprint

blueprint = Blueprint("google", __name__)
