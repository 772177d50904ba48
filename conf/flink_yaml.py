"""Flink's `config.yaml`: YAML, flat or nested, to dotted keys and text, with line numbers. The only module that knows of PyYAML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from conf.errors import Problem

_TAG = "tag:yaml.org,2002:"
_MERGE = _TAG + "merge"


@dataclass(frozen=True)
class Line:
    """A dotted key, its text, and the line (from 1) that it stands on."""

    key: str
    text: str
    number: int


def read_yaml(text: str, name: str) -> tuple[list[Line], list[Problem]]:
    """Read the YAML `text` of the file `name`; lists become YAML flow lists, other values what Flink's `toString` makes of them.

    Besides the lines, what is wrong: a key without a name or a value; by itself, text that is not YAML or not a mapping.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        if root is None or root.tag == _TAG + "null":
            return [], []
        if not isinstance(root, yaml.MappingNode):
            return [], [Problem(name, f"{name} holds no keys", "write lines of the form `key: value`")]
        items = list(_flatten(root, "", name))
    except (yaml.YAMLError, RecursionError) as error:
        return [], [_syntax_problem(error, name)]
    return [item for item in items if isinstance(item, Line)], [item for item in items if isinstance(item, Problem)]


def read_list(text: str) -> list[str] | None:
    """The items of a YAML list, or None when `text` is none."""
    if not text.lstrip().startswith(("[", "-")):
        return None
    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        if not isinstance(node, yaml.SequenceNode) or not all(isinstance(item, yaml.ScalarNode) for item in node.value):
            return None
        return [_scalar_text(item) for item in node.value]
    except (yaml.YAMLError, ValueError, RecursionError):
        # Flink too falls back to its own notation: `[gpu` is a name
        return None


def _flatten(mapping: yaml.MappingNode, prefix: str, name: str) -> Iterator[Line | Problem]:
    blocks: dict[str, int] = {}
    for key_node, node in mapping.value:
        number = key_node.start_mark.line + 1
        where = f"{name}:{number}"
        if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == _MERGE:
            yield Problem(where, f"{where} has a key that is not plain text", "write a plain key, such as `external-resources`")
            continue
        key = prefix + key_node.value
        if isinstance(node, yaml.MappingNode):
            if key in blocks:
                yield duplicate(key, name, blocks[key], number)
            blocks[key] = number
            yield from _flatten(node, key + ".", name)
        elif node.tag == _TAG + "null":
            yield Problem(key, f"{key} has no value ({where})", "write a value after the colon, or take the line out")
        else:
            yield _line(key, node, number, where)


def _line(key: str, node: yaml.Node, number: int, where: str) -> Line | Problem:
    try:
        value = _value(node)
    except ValueError as error:
        return Problem(key, f"{key} can't be read ({where}): {error}", "put the value in quotes")
    if not isinstance(value, str):
        value = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True).rstrip("\n")
    return Line(key, value, number)


def duplicate(key: str, name: str, first: int, second: int) -> Problem:
    """The problem of a key that a file holds twice."""
    return Problem(key, f"{key} stands twice in {name}: lines {first} and {second}", "keep one of them")


def _value(node: yaml.Node) -> object:
    if isinstance(node, yaml.ScalarNode):
        return _scalar_text(node)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item) for item in node.value]
    return {str(_value(key)): _value(item) for key, item in node.value}


def _scalar_text(node: yaml.ScalarNode) -> str:
    """Booleans and numbers in Java's spelling (`yes` is `true`, `010` is 8: YAML 1.1, as Flink reads it), anything else as written."""
    if node.tag not in (_TAG + "bool", _TAG + "int", _TAG + "float"):
        return str(node.value)
    value = yaml.SafeLoader("").construct_object(node)
    return str(value).lower()


def _syntax_problem(error: Exception, name: str) -> Problem:
    """One line: the snippet that PyYAML shows is left out, for it may hold a secret (as Flink's YamlParserUtils does)."""
    mark = getattr(error, "problem_mark", None)
    where = name if mark is None else f"{name}:{mark.line + 1}"
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "nested too deep"
    return Problem(
        where, f"{where} is not YAML: {reason}", "write `key: value`, with a blank after the colon; quote a value that holds `: ` or ` #`"
    )
