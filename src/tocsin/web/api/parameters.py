"""The query parameters of lists, as the description of the API tells them."""

from collections.abc import Mapping, Sequence

from tocsin.errors import Malformed
from tocsin.web.api.described import Parameter

_TEXT = {"type": "string"}


def _text(name: str, text: str) -> Parameter:
    return Parameter(name, text, _TEXT)


COLUMNS = (_text("columns", "Only these fields of each record; repeat it, or give a JSON array."),)

FLAIR = (Parameter("flair", "1: with entities in SCOT's markup (data_with_flair and its like).", {"enum": ["0", "1"]}),)

LISTING = (
    Parameter("limit", "At most so many records; 0 for all.", {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}),
    Parameter("offset", "Leave out so many first.", {"type": "integer", "minimum": 0, "maximum": 10**18 - 1}),
    _text("sort", 'A field, with - before it for downwards; repeated, or as JSON: {"id":-1}.'),
    *COLUMNS,
    _text("id", "5, !5, [5,6], x>=5 or 3<=x<8; the same goes for every number."),
    _text("created", "Two times in whole seconds since 1970, both included: [1700000000,1700003600]."),
    _text("updated", "As created."),
    _text("when", "As created: when it was received."),
    _text("subject", "A regular expression (RE2), found anywhere, case folded."),
    _text("message_id", "The id itself, or a regular expression."),
    _text("owner", "A regular expression."),
    _text("status", "open, closed or promoted; repeated for any of them."),
    _text("tlp", "A traffic light; repeated for any of them."),
    _text("tag", 'a, !a, a,b (all), a|b (any), ["a","!b"].'),
    _text("source", "As tag."),
)
QUERY = (_text("q", "The query language, as in the search box: status:open and src:10.0.0.0/8. /query tells it."),)
REPEATS = (
    _text("seen", "How often it came, its repeats counted."),
    _text("folded_into", "The alertgroup that it is folded into; without this or an id, folded ones are left out."),
)


def with_flair(query: Mapping[str, list[str]], columns: Sequence[str] = ()) -> bool:
    """Whether SCOT's markup is asked for, by the parameter or by a column's name. Raises Malformed."""
    said = query.get("flair", ["0"])[-1]
    if said not in ("0", "1"):
        raise Malformed("flair must be 0 or 1.")
    return said == "1" or any("flair" in column for column in columns)


def only_known(query: Mapping[str, list[str]], *known: str) -> None:
    """Raises Malformed for a parameter that means nothing here."""
    for name in query:
        if name not in known:
            offer = f"use {', '.join(known)}" if known else "there are none here"
            raise Malformed(f"There is no parameter {name[:60]!r}: {offer}.")
