"""The application, connected to a server that plays Google."""

from tests.google_platform import google

__all__ = ["google"]
