"""Where somebody signs in from, in words."""

import pytest

from loyalty.domain import browsers

MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605 (KHTML, like Gecko) Version/17.4 Safari/605"
PHONE = "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/124.0.0.0 Mobile Safari/537.36"
EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537 (KHTML, like Gecko) Chrome/124 Safari/537 Edg/124.0"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605 (KHTML) FxiOS/125.0 Safari/605"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (MAC, "Safari, macOS"),
        (PHONE, "Chrome, Android"),
        (EDGE, "Edge, Windows"),
        (IPHONE, "Firefox, iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:126.0) Gecko/20100101 Firefox/126.0", "Firefox, Linux"),
        ("<script>", ""),
        ("", ""),
    ],
    ids=["safari", "chrome", "edge", "firefox-ios", "firefox", "nonsense", "none"],
)
def test_it_names_browser_and_system(user_agent: str, words: str) -> None:
    assert browsers.describe(user_agent) == words


@pytest.mark.parametrize(
    ("address", "network"),
    [("192.0.2.77", "192.0.2.0/24"), ("2001:db8:1:2::3", "2001:db8:1::/48"), ("nonsense", ""), (None, "")],
)
def test_it_keeps_the_network_and_not_the_address(address: str | None, network: str) -> None:
    assert browsers.network_of(address) == network
