"""A phone registers a pass, asks which of its passes changed, and unregisters."""

import re

from flask import Response, jsonify, request

from loyalty.services import apple_devices, passes
from loyalty.web.access import public
from loyalty.web.apple.answers import bare, json_body, pass_token
from loyalty.web.apple.blueprint import SERVICE, blueprint
from loyalty.web.errors import MalformedRequest
from loyalty.web.limits import address_source, limit

DEVICE = f"{SERVICE}/devices/<device>/registrations/<pass_type>"
_TAG = re.compile("[0-9]{1,18}", re.ASCII)
# Both are opaque; these are the letters that can stand in an address.
_DEVICE = re.compile(r"[!-~]{1,200}", re.ASCII)
_PUSH_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,512}", re.ASCII)
_LONGEST_BODY = 4 * 1024


@blueprint.post(f"{DEVICE}/<serial>", strict_slashes=False)
@public
@limit("600 per minute", key_func=address_source)
def register(device: str, pass_type: str, serial: str) -> Response:
    """Answer 201 to a phone that registers a pass, 200 to one that has; it may have a new address for pushes."""
    token = pass_token()
    # Before the body is looked at: who has no pass learns nothing about it.
    passes.authenticate(pass_type=pass_type, serial=serial, token=token)
    new = apple_devices.register(
        pass_type=pass_type, serial=serial, token=token, device=_known(device), push_token=_push_token()
    )
    return bare(201 if new else 200)


@blueprint.delete(f"{DEVICE}/<serial>", strict_slashes=False)
@public
@limit("600 per minute", key_func=address_source)
def unregister(device: str, pass_type: str, serial: str) -> Response:
    """Answer 200 to a phone that has thrown a pass away, also the second time."""
    apple_devices.unregister(pass_type=pass_type, serial=serial, token=pass_token(), device=device)
    return bare(200)


@blueprint.get(DEVICE, strict_slashes=False)
@public
@limit("600 per minute", key_func=address_source)
@limit("120 per minute", key_func=lambda: str((request.view_args or {}).get("device"))[:200])
def list_updates(device: str, pass_type: str) -> Response:
    """List the phone's passes that changed since its tag; the phone's name, which nobody else knows, is the key."""
    asked = request.args.get("passesUpdatedSince", "")
    tag = int(asked) if _TAG.fullmatch(asked) else None
    found = apple_devices.list_updates(pass_type=pass_type, device=device, tag=tag)
    if found is None:
        return bare(204)
    # The tag is a string: phones ignore a list with a number there, without a word.
    return jsonify(serialNumbers=found.serial_numbers, lastUpdated=found.tag)


def _known(device: str) -> str:
    if not _DEVICE.fullmatch(device):
        raise MalformedRequest
    return device


def _push_token() -> str:
    push_token = json_body(longest=_LONGEST_BODY).get("pushToken")
    if not isinstance(push_token, str) or not _PUSH_TOKEN.fullmatch(push_token):
        raise MalformedRequest
    return push_token
