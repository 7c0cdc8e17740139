"""The JSON Schema of a profile, for editors."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from mediaprep.profile.categories import CATEGORIES, PostRules, ProfileHeader


def schema() -> dict[str, Any]:
    """Return the JSON Schema of a profile.

    If a category has ``like``, only its kind is required: the other category supplies the rest.
    """
    models: tuple[type[BaseModel], ...] = (ProfileHeader, PostRules, *CATEGORIES.values())
    _, content = models_json_schema([(model, "validation") for model in models], by_alias=True)
    definitions = content["$defs"]
    for model in CATEGORIES.values():
        table = definitions[model.__name__]
        required = [key for key in table["required"] if key != "kind"]
        encoding = table["properties"]["encoding"]["$ref"].rpartition("/")[2]
        encoding_keys = definitions[encoding].pop("required")
        table |= {
            "required": ["kind"],
            "if": {"not": {"required": ["like"]}},
            "then": {
                "required": required,
                "properties": {"encoding": {"required": encoding_keys}},
            },
        }
    header, post = definitions.pop(ProfileHeader.__name__), definitions.pop(PostRules.__name__)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "mediaprep profile",
        "description": "The limits of a platform, each with its level, its source and its date.",
        "type": "object",
        "properties": {"profile": header, "post": post},
        "required": ["profile"],
        "additionalProperties": {
            "oneOf": [{"$ref": f"#/$defs/{model.__name__}"} for model in CATEGORIES.values()]
        },
        "$defs": dict(sorted(definitions.items())),
    }
