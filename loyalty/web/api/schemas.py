"""What all bodies, queries and answers of the JSON API share; each model validates and documents at once."""

from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

# PostgreSQL stores no NUL; said in the schema, so that programs know it before they send.
NO_NUL = r"^[^\x00]*$"
Code = Annotated[str, Field(min_length=1, max_length=64, pattern=NO_NUL)]
Note = Annotated[str, Field(max_length=500, pattern=NO_NUL)]


class Body(BaseModel):
    """What a program sends: only what is known, and each of its own kind, so that "5" is no number."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Query(BaseModel):
    """What stands behind the question mark; nothing, unless an operation says otherwise."""

    model_config = ConfigDict(extra="forbid")


class Answer(BaseModel):
    """What a program gets."""

    model_config = ConfigDict(extra="forbid", json_schema_serialization_defaults_required=True)

    _replayed: bool = PrivateAttr(default=False)

    @property
    def replayed(self) -> bool:
        """Whether this answer was given before, under the same key."""
        return self._replayed

    @classmethod
    def of(cls, source: object, **more: Any) -> Self:  # values of all fields
        """Fill the answer from a receipt or row that names its fields alike; `more` goes before."""
        found = {name: getattr(source, name) for name in cls.model_fields if hasattr(source, name)}
        answer = cls.model_validate(found | more)
        answer._replayed = bool(getattr(source, "replayed", False))
        return answer
