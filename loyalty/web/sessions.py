"""Sessions of browsers. Phones that ask for passes by themselves hold none, so for them none is read or written."""

from flask import Flask, Request, Response
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin

# The address of Apple's web service: the view is not known yet when a session is opened.
_PHONES = "/api/v1/loyalty/apple/"


class BrowserSessions(SecureCookieSessionInterface):
    """Signed cookies, for all but phones."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """Read the session; a phone's is empty whatever it sends."""
        return self.session_class() if request.path.startswith(_PHONES) else super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Write the session where anything is in it; a phone's is always empty."""
        if session or session.accessed or session.modified:
            super().save_session(app, session, response)


def init(app: Flask) -> None:
    """Use these sessions."""
    app.session_interface = BrowserSessions()
