"""What Schemathesis has to be told: newline-delimited JSON is one value a line."""

import json

import schemathesis

NDJSON = "application/x-ndjson"


@schemathesis.serializer(NDJSON)
def one_line(ctx, value):
    """A generated value is a line; an example is lines already."""
    if isinstance(value, bytes):
        return value
    text = value if isinstance(value, str) else json.dumps(value) + "\n"
    return text.encode()


@schemathesis.deserializer(NDJSON)
def first_line(ctx, response):
    """The schema is of a line; without a line there is nothing to hold against it."""
    lines = response.content.splitlines()
    return json.loads(lines[0]) if lines else None
