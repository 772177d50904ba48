"""Lists in configuration text, item for item as Flink reads them."""

from __future__ import annotations

from collections.abc import Sequence

from conf.flink_yaml import read_list

DELIMITER = ";"
"""What separates the items of a list (Flink's `ConfigOption.asList`)."""

_QUOTES = "'\""


def split_list(text: str) -> tuple[str, ...]:
    """Split a list: a YAML list, else items between `;`, quoted where they hold one (Flink's `ConfigurationUtils.convertToList`).

    Raises:
        ValueError: A quote is not closed, or something follows it.
    """
    items = read_list(text)
    return tuple(_split_quoted(text) if items is None else items)


def _split_quoted(text: str) -> list[str]:
    """Flink's `StructuredOptionsSplitter`: unquoted items are trimmed, blank ones survive between two delimiters only."""
    items: list[str] = []
    position = 0
    after_delimiter = False
    while position < len(text):
        character = text[position]
        if character.isspace():
            position += 1
            continue
        if character == DELIMITER:
            if after_delimiter:
                items.append("")
            after_delimiter = True
            position += 1
            continue
        take = _quoted if character in _QUOTES else _unquoted
        item, position = take(text, position)
        items.append(item)
        after_delimiter = False
    return items


def _unquoted(text: str, start: int) -> tuple[str, int]:
    end = text.find(DELIMITER, start)
    end = len(text) if end < 0 else end
    return text[start:end].strip(), end


def _quoted(text: str, start: int) -> tuple[str, int]:
    """The item within the quotes that open at `start` (a doubled quote is a quote), and the position after the closing one."""
    quote = text[start]
    end = text.find(quote, start + 1)
    while text.startswith(quote * 2, end):
        end = text.find(quote, end + 2)
    if end < 0:
        raise ValueError(f"the quote at position {start + 1} is not closed")
    rest = text[end + 1 :].lstrip()
    if rest and not rest.startswith(DELIMITER):
        raise ValueError(f"text follows the closing quote at position {end + 1}")
    return text[start + 1 : end].replace(quote * 2, quote), end + 1


def one_line(names: Sequence[str]) -> str:
    """The names as a list, for a message: escaped where one of them holds a line break or the like."""
    text = DELIMITER.join(names)
    return text if text.isprintable() else repr(text)
