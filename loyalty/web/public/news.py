"""The page that ends a shop's news, and the one click by which mail programs do it (RFC 8058)."""

from flask import g, render_template
from flask.typing import ResponseReturnValue

from loyalty.services import news
from loyalty.web.access import now, public
from loyalty.web.forms import csrf
from loyalty.web.public.blueprint import blueprint


@blueprint.get("/news/<token>")
@public
def show_news(token: str) -> ResponseReturnValue:
    """Ask whether to end the news."""
    return _page(token)


# The signed address is the proof: mail programs bring no token, and there is nothing to gain by forging a no.
@csrf.exempt  # type: ignore[untyped-decorator] # Flask-WTF publishes no types
@blueprint.post("/news/<token>")
@public
def end_news(token: str) -> ResponseReturnValue:
    """End the news at once, without leading anywhere: programs that do it follow no redirect."""
    news.end(token=token, at=now())
    return _page(token)


def _page(token: str) -> str:
    subscription = news.get(token=token)
    g.shop_language = subscription.locale
    return render_template("public/news.html", subscription=subscription, token=token)
