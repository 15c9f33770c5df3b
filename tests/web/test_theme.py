"""The style sheet with a vendor's colours."""

import pytest
from flask.testing import FlaskClient


def test_it_writes_the_colours_of_a_card(client: FlaskClient) -> None:
    answer = client.get("/theme.css?c=0E5A4A&s=f3b562")
    assert answer.status_code == 200
    assert answer.mimetype == "text/css"
    assert answer.text == ".pass,.sheet{--pbg:#0E5A4A;--fg:#FFFFFF;--band:#F3B562;}\n"
    assert answer.headers["Cache-Control"] == "public, max-age=86400"


def test_it_takes_the_card_for_the_second_colour(client: FlaskClient) -> None:
    assert "--band:#0E5A4A" in client.get("/theme.css?c=0E5A4A").text


@pytest.mark.parametrize("colour", ["FFFFFF", "F6F7F8", "0F1216"])
def test_it_gives_an_edge_to_a_card_that_looks_like_the_page(client: FlaskClient, colour: str) -> None:
    assert "--edge:var(--line-strong)" in client.get(f"/theme.css?c={colour}").text


@pytest.mark.parametrize("query", ["", "c=red", "c=12345", "c=0E5A4A&s=x}", "c=%23%7D*%7B"])
def test_it_writes_nothing_else(client: FlaskClient, query: str) -> None:
    assert client.get(f"/theme.css?{query}").status_code == 404
