"""`flask wallet dev-certs`: certificates for this machine, made once."""

from flask import Flask

from config import Config
from config_apple import DEV_FOLDER


def test_it_makes_certificates_and_leaves_them_alone(app: Flask, config: Config) -> None:
    folder = config.data_dir / DEV_FOLDER
    first = app.test_cli_runner().invoke(args=["wallet", "dev-certs"])
    assert first.exit_code == 0
    assert f"{folder}: made." in first.output
    assert "Pass type pass.example.loyalty, team DEVELOPER1" in first.output
    written = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert sorted(written) == ["pass.key", "pass.pem", "root.pem", "wwdr.pem"]
    assert f"{folder}: unchanged." in app.test_cli_runner().invoke(args=["wallet", "dev-certs"]).output
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == written
