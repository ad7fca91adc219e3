"""CloudEvents 1.0 as events: over HTTP at `POST /v1/events`, and in JSON in the inbox.

After CloudEvents 1.0.2, its JSON event format and its HTTP protocol binding. The attributes `id`,
`type` and `time` are the event's id, type and time, the extensions `accountid` and `programid` its
account and programme, and `data` its data: a JSON object. `source` says whose id it is. All other
attributes may be there, as the specification wants it, and are not kept.
"""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from perkwire.model.event import MAX_EVENTS, PostedEvent
from perkwire.primitives.fields import parse_object, parse_value
from perkwire.primitives.problem import FieldError, malformed
from perkwire.primitives.regexes import regex
from perkwire.primitives.strict_json import Json

STRUCTURED = "application/cloudevents+json"
BATCH = "application/cloudevents-batch+json"
MEDIA_TYPES = (STRUCTURED, BATCH)

_VERSION = "1.0"
_LONGEST_SOURCE = 1024  # characters; the specification sets no limit
_NAME = regex(r"[a-z0-9]+")
_JSON_TYPE = regex(r"[a-z0-9.+-]+/([a-z0-9.+-]+\+)?json(\s*;.*)?", re.IGNORECASE | re.DOTALL)
_READ_AS = {
    "id": "id",
    "type": "type",
    "time": "occurred_at",
    "accountid": "account_id",
    "programid": "program_id",
    "data": "data",
}
_NAMES = {name: attribute for attribute, name in _READ_AS.items()}
_HEADER = "ce-"
_HEADER_NAMES = {
    name: f"{_HEADER}{attribute}" for name, attribute in _NAMES.items() if name != "data"
}


def posted_structured(body: bytes) -> PostedEvent:
    """The one event of a body of STRUCTURED; raises the 400 problem if it is no JSON object."""
    value = parse_object(body, instead_of_list=f"its content type would be {BATCH}")
    return posted_cloud_event(value)


def posted_batch(body: bytes) -> list[PostedEvent]:
    """The events of a body of BATCH: 1 to MAX_EVENTS; raises the 400 problem if it is none."""
    value = parse_value(body)
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_EVENTS:
        raise malformed(f"A batch must be a list of 1 to {MAX_EVENTS} CloudEvents.")
    return [
        posted_cloud_event(one, f"[{position}]", f"/{position}")
        for position, one in enumerate(value)
    ]


def posted_binary(body: bytes, headers: Mapping[str, str]) -> PostedEvent:
    """The event whose attributes are `ce-` headers, in lower case, and whose data is the body.

    Raises the 400 problem if the body is no JSON object.
    """
    errors: list[FieldError] = []
    attributes: dict[str, Json] = {}
    for name, text in headers.items():
        if name.startswith(_HEADER):
            try:
                attributes[name.removeprefix(_HEADER)] = unquote(text, errors="strict")
            except UnicodeDecodeError:
                errors.append(FieldError(name, "must be UTF-8 where it is percent-encoded"))
    errors += _wrong(attributes, _HEADER)
    attributes.pop("data", None)
    return PostedEvent(
        value=_read(attributes) | {"data": parse_object(body)},
        names=_HEADER_NAMES,
        is_data=True,
        source=_source(attributes),
        errors=errors,
    )


def posted_cloud_event(value: Json, place: str = "", pointer: str = "") -> PostedEvent:
    """The event whose attributes are the members of a JSON object, at this place of what came."""
    if not isinstance(value, dict):
        return PostedEvent(value=value, place=place, pointer=pointer)
    # An attribute that is null is unset (JSON event format, 2.2).
    attributes = {name: member for name, member in value.items() if member is not None}
    return PostedEvent(
        value=_read(attributes),
        place=place,
        pointer=pointer,
        names=_NAMES,
        source=_source(attributes),
        errors=[*_wrong(attributes, f"{place}." if place else "")],
    )


def _read(attributes: Mapping[str, Json]) -> dict[str, Json]:
    return {
        name: attributes[attribute]
        for attribute, name in _READ_AS.items()
        if attribute in attributes
    }


def _source(attributes: Mapping[str, Json]) -> str | None:
    source = attributes.get("source")
    return source if isinstance(source, str) else None


def _wrong(attributes: Mapping[str, Json], prefix: str) -> Iterator[FieldError]:
    """What is wrong with the envelope; what an event's members must be is not said here."""
    for name, wrong in (
        ("specversion", _wrong_version(attributes.get("specversion"))),
        ("source", _wrong_source(attributes.get("source"))),
        ("id", None if "id" in attributes else "is required"),
    ):
        if wrong:
            yield FieldError(f"{prefix}{name}", wrong)
    for name, value in attributes.items():
        if wrong := _wrong_attribute(name, value):
            yield FieldError(f"{prefix}{name}", wrong)


def _wrong_version(version: Json) -> str | None:
    return None if version == _VERSION else f"must be {_VERSION}"


def _wrong_source(source: Json) -> str | None:
    if source is None:
        return "is required"
    if not isinstance(source, str) or not 1 <= len(source) <= _LONGEST_SOURCE:
        return f"must be a string of 1 to {_LONGEST_SOURCE} characters"
    return None


def _wrong_attribute(name: str, value: Json) -> str | None:
    if name == "data_base64":
        return "is not taken: send JSON in data"
    if not _NAME.fullmatch(name):
        return "is not a name of CloudEvents: lower-case letters and digits only"
    if name == "datacontenttype":
        is_json = isinstance(value, str) and _JSON_TYPE.fullmatch(value.strip())
        return None if is_json else "must be application/json"
    if name != "data" and isinstance(value, dict | list | float):
        return "must be a string, a whole number, true or false"
    return None
