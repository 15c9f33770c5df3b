"""Where somebody signs in from, in words that they know again and that say little to others."""

from ipaddress import IPv4Address, ip_address, ip_network

# The first that fits: all of them also call themselves Safari or Chrome.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def describe(user_agent: str) -> str:
    """Return the names of browser and system, such as "Firefox, Windows"; empty where neither is known."""
    found = (next((name for word, name in names if word in user_agent), "") for names in (_BROWSERS, _SYSTEMS))
    return ", ".join(name for name in found if name)


def network_of(address: str | None) -> str:
    """Return the network that an address is in: a house or a town, not a person; empty for none."""
    try:
        found = ip_address(address or "")
    except ValueError:
        return ""
    return str(ip_network(f"{found}/{24 if isinstance(found, IPv4Address) else 48}", strict=False))
