"""Pictures of the program: sent with the form, kept while other fields are wrong, shown on the card, and fetched."""

import io
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config import Config
from loyalty.services import images, programs
from loyalty.services.programs import Program
from tests.browsing import fields, sign_in
from tests.office import Office, key_of, make_bakery
from tests.pictures import make_picture, opened

# The card's colour, and one that drowns in it.
CARD, BLUE = "#14181D", "#102040"


@pytest.fixture(autouse=True)
def folder(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the pictures of one test."""
    monkeypatch.setattr(images, "_folder", tmp_path / "images")
    return tmp_path / "images"


@pytest.fixture
def ada(app: Flask) -> Office:
    with app.app_context():
        return make_bakery()


def stored(app: Flask, office: Office) -> Program:
    with app.app_context():
        return programs.get(actor=office.actor)


def upload(client: FlaskClient, path: str = "/office/program", /, **changes: object) -> TestResponse:
    """Send the form of the program with files: what a browser without JavaScript does."""
    data: dict[str, object] = {**fields(client.get("/office/program")), **changes}
    for name, value in data.items():
        if isinstance(value, bytes):
            data[name] = (io.BytesIO(value), "C:\\fakepath\\<logo>.png")
    return client.post(path, data=data, content_type="multipart/form-data")


def test_it_keeps_a_logo_and_shows_it(client: FlaskClient, app: Flask, ada: Office, folder: Path) -> None:
    sign_in(client, ada)
    answer = upload(client, logo_file=make_picture(), card_name="Bread")
    assert (answer.status_code, answer.location) == (303, "/office/program")
    address = stored(app, ada).logo_url
    assert address is not None
    assert (folder / address.rpartition("/")[2]).exists()
    page = client.get("/office/program")
    assert page.text.count(f'src="{address}"') == 2
    assert fields(page)["logo_url"] == address
    assert stored(app, ada).card_name == "Bread"
    # Saved again without a file, it stays.
    assert upload(client, card_name="Loaf").status_code == 303
    assert stored(app, ada).logo_url == address


def test_it_answers_a_picture_to_everybody_for_good(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    upload(client, logo_file=make_picture((1200, 1200), form="WEBP"), hero_file=make_picture((1032, 336)))
    for address, size in ((stored(app, ada).logo_url, (660, 660)), (stored(app, ada).hero_image_url, (1032, 336))):
        assert address is not None
        answer = app.test_client().get(address)
        assert (answer.status_code, answer.mimetype, opened(answer.data).size) == (200, "image/png", size)
        said = answer.headers
        assert said["Cache-Control"] == "public, max-age=31536000, immutable"
        assert said["Content-Security-Policy"] == "default-src 'none'; sandbox"
        assert said["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert said["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in said
        again = app.test_client().get(address, headers={"If-None-Match": said["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("path", [f"{'0' * 32}.png", "x.png", "..%2Fsecrets.png", f"{'0' * 32}.svg"])
def test_it_answers_nothing_else(client: FlaskClient, path: str) -> None:
    answer = client.get(f"/images/{path}")
    assert answer.status_code == 404
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"<svg onload=alert(1)>", "An SVG drawing can hold programs."),
        (b"GIF89a", "Take a picture that is a PNG, JPEG or WebP file."),
        (make_picture() + b"PK", "The file holds something behind the picture."),
        (make_picture()[:-20], "The file ends in the middle of the picture."),
        (bytes(2 * 1024 * 1024 + 1), "The file has more than 2 MB."),
    ],
    ids=["svg", "gif", "polyglot", "half", "large"],
)
@pytest.mark.parametrize("field", ["logo_file", "hero_file"])
def test_it_refuses_beside_the_field_and_keeps_the_rest(
    client: FlaskClient, app: Flask, ada: Office, field: str, data: bytes, sentence: str
) -> None:
    sign_in(client, ada)
    before = stored(app, ada)
    answer = upload(client, **{"card_name": "Typed", "stamps_target": "7", field: data})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert f'href="#{field}"' in answer.text
    assert sentence in answer.text
    assert (fields(answer)["card_name"], fields(answer)["stamps_target"]) == ("Typed", "7")
    assert stored(app, ada) == before


def test_it_keeps_a_good_picture_while_another_field_is_wrong(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    answer = upload(client, logo_file=make_picture(), stamps_target="0")
    assert answer.status_code == 422
    kept = fields(answer)
    assert kept["logo_url"].startswith("/images/")
    assert f'src="{kept["logo_url"]}"' in answer.text
    assert stored(app, ada).logo_url is None
    client.post("/office/program", data={**kept, "stamps_target": "7"}, content_type="multipart/form-data")
    assert stored(app, ada).logo_url == kept["logo_url"]


def test_it_removes_a_picture(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    upload(client, logo_file=make_picture(), hero_file=make_picture((1032, 336)))
    assert upload(client, logo_remove="y").status_code == 303
    assert stored(app, ada).logo_url is None
    assert stored(app, ada).hero_image_url is not None
    assert upload(client, hero_remove="y", hero_file=make_picture()).status_code == 303
    assert stored(app, ada).hero_image_url is None


def test_it_previews_a_picture_and_saves_nothing(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    page = upload(client, "/office/program/preview", logo_file=make_picture(), card_name="Typed")
    assert page.status_code == 200
    address = fields(page)["logo_url"]
    assert f'src="{address}"' in page.text
    assert fields(page)["card_name"] == "Typed"
    assert stored(app, ada).logo_url is None
    # What htmx sends with every letter names no file, but knows which picture was sent before.
    typed = {**fields(page), "logo_file": "[object File]"}
    assert f'src="{address}"' in client.post("/office/program/preview", data=typed).text
    gone = client.post("/office/program/preview", data={**typed, "logo_remove": "y"})
    assert f'src="{address}"' not in gone.text


def test_it_says_that_a_logo_needs_a_plate(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    upload(client, logo_file=make_picture(colour=BLUE), card_color=CARD)
    page = client.get("/office/program").text
    assert "contrast to the card is 1.1 : 1, so it stands on a white plate." in page
    assert f'<img class="plate" src="{stored(app, ada).logo_url}"' in page
    upload(client, card_color="#FFFFFF")
    assert "white plate." not in client.get("/office/program").text.partition('id="preview"')[2]


def test_it_shows_a_wide_picture_on_a_card_of_points_only(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    upload(client, hero_file=make_picture((1032, 336)), loyalty_type="points")
    with app.app_context():
        programs.activate(actor=ada.actor, key=key_of(ada))
    shown = f'<img class="pass-strip" src="{stored(app, ada).hero_image_url}"'
    assert shown in app.test_client().get(f"/join/{ada.code}").text
    upload(client, loyalty_type="stamps")
    assert shown not in app.test_client().get(f"/join/{ada.code}").text


def test_it_takes_no_address_of_another_site(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    answer = upload(client, logo_url="https://example.org/logo.png")
    assert answer.status_code == 422
    assert 'id="logo_file-error"' in answer.text
    assert fields(answer)["logo_url"] == ""
    assert stored(app, ada).logo_url is None


def test_it_saves_a_picture_once_per_key(client: FlaskClient, app: Flask, ada: Office) -> None:
    sign_in(client, ada)
    form = fields(client.get("/office/program"))
    for picture, status in ((make_picture(), 303), (make_picture(), 303), (make_picture(colour=BLUE), 422)):
        files = {**form, "logo_file": (io.BytesIO(picture), "logo.png")}
        assert client.post("/office/program", data=files).status_code == status


def test_it_takes_longer_forms_nowhere_else(client: FlaskClient, config: Config, ada: Office) -> None:
    sign_in(client, ada)
    token = {"csrf_token": fields(client.get("/office/settings"))["csrf_token"]}
    for path, size, status in (
        ("/office/settings", 300_000, 413),
        ("/office/sign-in", 300_000, 413),
        ("/office/program", 3 * 1024 * 1024, 413),
        ("/office/program", 300_000, 422),
    ):
        data = {**token, "logo_file": (io.BytesIO(bytes(size)), "logo.png")}
        assert client.post(path, data=data).status_code == status, path


def test_it_shows_no_picture_of_a_stranger(client: FlaskClient, ada: Office) -> None:
    answer = client.post("/office/program", data={"logo_file": (io.BytesIO(make_picture()), "logo.png")})
    assert answer.status_code in (400, 401)
