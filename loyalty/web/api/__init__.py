"""The JSON API: the same use cases as the till's and the office's, for a shop's own software."""

from flask import Response

from loyalty.web.api import (
    analytics,
    cards,
    description,
    pins,
    platform_customers,
    platform_health,
    platform_owners,
    platform_policy,
    platform_programs,
    platform_stats,
    platform_vendors,
    points,
    policy,
    programs,
    public,
    replacements,
    rewards,
    stamps,
    stats,
    stores,
    terminals,
    transactions,
    webhooks,
)
from loyalty.web.api.blueprint import blueprint
from loyalty.web.forms import csrf
from loyalty.web.limits import add_headers

__all__ = [
    "analytics",
    "blueprint",
    "cards",
    "description",
    "pins",
    "platform_customers",
    "platform_health",
    "platform_owners",
    "platform_policy",
    "platform_programs",
    "platform_stats",
    "platform_vendors",
    "points",
    "policy",
    "programs",
    "public",
    "replacements",
    "rewards",
    "stamps",
    "stats",
    "stores",
    "terminals",
    "transactions",
    "webhooks",
]


@blueprint.after_request
def tell_limits(response: Response) -> Response:
    """Say how often the caller may still ask."""
    return add_headers(response)


# Programs hold no session: their key is the proof.
csrf.exempt(blueprint)
