"""The settings checked by pydantic, which is loaded only when there is something new to check.

A file names its policies and rules by tables, ``[mood.policies.mine.cheerful]``; the settings
hold them as tuples, which can be hashed. The step between the two is here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Any, Final, NamedTuple

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from moodride.settings import (
    BUILT_IN_POLICIES,
    NAME_MAX,
    POLICIES_MAX,
    RULES_MAX,
    Config,
    RuleSettings,
    check_name,
)

__all__ = ["UNKNOWN_KEY", "Wrong", "check", "validated"]

UNKNOWN_KEY: Final = "unexpected_keyword_argument"
"""Pydantic's name of the error."""

POLICIES: Final = ("mood", "policies")


class Wrong(NamedTuple):
    """One thing that is wrong with a tree.

    Attributes:
        loc: where: section, key, and so on downwards.
        kind: pydantic's name of the error, or one of ours.
        message: what is wrong, for a person.
        given: the word that was given, where another may be meant.
        choices: the words that would be right in its place.
    """

    loc: tuple[str, ...]
    kind: str
    message: str
    given: str = ""
    choices: tuple[str, ...] = ()


@cache
def _adapter() -> TypeAdapter[Config]:
    return TypeAdapter(Config)


def validated(tree: Mapping[str, Any]) -> Config:
    """The settings of a tree of plain values.

    Raises:
        ValueError: a key or a value is wrong.
    """
    for wrong in _shape(tree):
        raise ValueError(f"{'.'.join(wrong.loc)}: {wrong.message}")
    return _adapter().validate_python(_listed(tree))


def check(tree: Mapping[str, Any]) -> list[Wrong]:
    """All that is wrong with a tree; empty when `validated` would take it."""
    found = list(_shape(tree))
    if found:
        return found
    try:
        _adapter().validate_python(_listed(tree))
    except ValidationError as error:
        details = error.errors(include_url=False)
        # A list whose members are wrong is called empty too: that is no news.
        causes = {d["loc"][:n] for d in details for n in range(len(d["loc"]))}
        return [_wrong(d, tree) for d in details if d["loc"] not in causes]
    return []


def _shape(tree: Mapping[str, Any]) -> Iterator[Wrong]:
    """What is wrong with the tables of policies themselves, and with the choice of one."""
    mood = tree.get("mood")
    if not isinstance(mood, Mapping):
        return
    policies = mood.get("policies", {})
    if not isinstance(policies, Mapping):
        yield Wrong(POLICIES, "table", "must hold tables, such as [mood.policies.mine.cheerful]")
        return
    if len(policies) > POLICIES_MAX:
        yield Wrong(POLICIES, "many", f"{len(policies)} policies, at most {POLICIES_MAX} are held")
        return
    for name, rules in policies.items():
        yield from _policy_shape(name, rules)
    chosen = mood.get("policy", BUILT_IN_POLICIES[0])
    names = (*BUILT_IN_POLICIES, *policies)
    if isinstance(chosen, str) and chosen not in names:
        said = f"no policy is named {chosen[:NAME_MAX]!r}, there are {', '.join(names)}"
        yield Wrong(("mood", "policy"), "policy", said, chosen[:NAME_MAX], names)


def _policy_shape(name: str, rules: object) -> Iterator[Wrong]:
    """What is wrong with the table of one policy."""
    loc = (*POLICIES, name)
    if odd := _odd(name, "policy"):
        yield Wrong(loc, "name", odd)
    elif not isinstance(rules, Mapping):
        yield Wrong(loc, "table", f"must hold tables of rules, such as [{'.'.join(loc)}.cheerful]")
    elif not 1 <= len(rules) <= RULES_MAX:
        yield Wrong(loc, "many", f"{len(rules)} rules, a policy has 1 to {RULES_MAX}")
    else:
        for rule, body in rules.items():
            yield from _rule_shape((*loc, rule), body)


def _rule_shape(loc: tuple[str, ...], body: object) -> Iterator[Wrong]:
    """What is wrong with the table of one rule."""
    if odd := _odd(loc[-1], "rule"):
        yield Wrong(loc, "name", odd)
    elif not isinstance(body, Mapping):
        yield Wrong(loc, "table", "must be the table of a rule, with emotions and path")
    elif "name" in body:  # a field of ours, but in a file the table's name
        yield Wrong((*loc, "name"), UNKNOWN_KEY, "", "name", _keys(loc))


def _odd(name: str, what: str) -> str:
    """What is wrong with a name, or nothing."""
    try:
        check_name(name, what)
    except ValueError as error:
        return str(error)
    return ""


def _listed(tree: Mapping[str, Any]) -> Mapping[str, Any]:
    """The tree with the tables of policies as lists that know their names."""
    mood = tree.get("mood")
    if not isinstance(mood, Mapping) or "policies" not in mood:
        return tree
    policies = [
        {"name": name, "rules": [{**body, "name": rule} for rule, body in rules.items()]}
        for name, rules in mood["policies"].items()
    ]
    return {**tree, "mood": {**mood, "policies": policies}}


def _wrong(details: ErrorDetails, tree: Mapping[str, Any]) -> Wrong:
    """Pydantic's words as ours: names instead of places in a list, and near words."""
    loc = _named(tuple(details["loc"]), tree)
    kind, given = details["type"], details["input"]
    if kind == UNKNOWN_KEY:
        return Wrong(loc, kind, details["msg"], loc[-1], _keys(loc[:-1]))
    if kind == "enum" and isinstance(given, str):
        expected = str(details.get("ctx", {}).get("expected", ""))
        choices = tuple(expected.replace(" or ", ", ").replace("'", "").split(", "))
        return Wrong(loc, kind, details["msg"], given[:NAME_MAX], choices)
    if kind == "too_short":
        return Wrong(loc, kind, "must not be empty")
    return Wrong(loc, kind, details["msg"])


def _named(loc: tuple[int | str, ...], tree: Mapping[str, Any]) -> tuple[str, ...]:
    """``mood.policies.0.rules.1.path`` is ``mood.policies.mine.sad.path`` in the file."""
    if loc[:2] != POLICIES or len(loc) < 3:  # noqa: PLR2004 - section, key, place
        return tuple(str(part) for part in loc)
    _, _, at, *rest = loc
    name = list(tree["mood"]["policies"])[int(at)]
    if len(rest) > 1:
        _, place, *below = rest
        rest = [list(tree["mood"]["policies"][name])[int(place)], *below]
    return (*POLICIES, name, *(str(part) for part in rest))


def _keys(table: tuple[str, ...]) -> tuple[str, ...]:
    """The keys that a table may have."""
    if table[:2] == POLICIES:
        return tuple(f.name for f in fields(RuleSettings) if f.name != "name")
    part: Any = Config()
    for key in table:
        part = getattr(part, key, None)
    return tuple(f.name for f in fields(part)) if is_dataclass(part) else ()
