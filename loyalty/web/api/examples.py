"""Examples for the documentation, made of the examples of the fields."""

from typing import Any, Final

Schema = dict[str, Any]  # JSON Schema, as deep as it likes

_BY_FORMAT: Final = {
    "uuid": "0199f1c2-7d1e-7cc3-98c4-dc0c0c07398f",
    "date-time": "2026-11-20T14:35:00Z",
    "date": "1990-03-24",
}
_BY_TYPE: Final[dict[str, Any]] = {"integer": 1, "number": 1, "boolean": True, "string": "text", "null": None}
# Of the three ways to name a card one is shown; PINs are for shops that ask for them.
_LEFT_OUT: Final = {"scan_code", "card_number", "staff_id", "staff_pin"}


def example_of(schema: Schema, schemas: dict[str, Schema]) -> Any:  # whatever the schema says
    """Make an example: the field's own, else one that fits its kind."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for name in ("const", "default"):
        if schema.get(name) is not None:
            return schema[name]
    for name in ("examples", "enum"):
        if schema.get(name):
            return schema[name][0]
    if "anyOf" in schema:
        return example_of(schema["anyOf"][0], schemas)
    if schema.get("type") == "object":
        return _object(schema, schemas)
    if schema.get("type") == "array":
        return [example_of(schema.get("items", {}), schemas)]
    return _BY_FORMAT.get(schema.get("format", "")) or _BY_TYPE.get(schema.get("type", ""))


def _object(schema: Schema, schemas: dict[str, Schema]) -> Schema:
    fields = schema.get("properties", {})
    is_body = "card_id" in fields and "staff_pin" in fields
    shown = {name: field for name, field in fields.items() if not (is_body and name in _LEFT_OUT)}
    return {name: example_of(field, schemas) for name, field in shown.items()}
