"""The blueprint that the pages for customers register themselves with."""

from flask import Blueprint

blueprint = Blueprint("public", __name__)
