"""The commands of `flask`: what an operator runs."""

from flask import Flask


def register(app: Flask) -> None:
    """Add the commands to the application."""
