"""Hadoop's XML: the properties of one configuration file, read as `org.apache.hadoop.conf.Configuration` of Hadoop 3 does, and written."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from client.errors import ENVIRONMENT, ClientError

_XINCLUDE = "{http://www.w3.org/2001/XInclude}"
_REMEDY = "mend it, or set HADOOP_CONF_DIR to another directory"


@dataclass(frozen=True)
class Property:
    """One property as it stands in the file, `${…}` unexpanded. Without a value it sets nothing; a final one lets no other follow."""

    name: str
    value: str
    final: bool = False


def read(path: Path) -> tuple[Property, ...]:
    """Returns the properties of a file in their order, those of files that it includes (XInclude) in place.

    Raises:
        ClientError: when the file, or one that it includes, can't be read or isn't Hadoop's XML.
    """
    return tuple(_properties(_root(path), path, frozenset({path.resolve()})))


def render(properties: Iterable[Property]) -> bytes:
    """Returns a configuration file with these properties."""
    root = ET.Element("configuration")
    for item in properties:
        element = ET.SubElement(root, "property")
        ET.SubElement(element, "name").text = item.name
        ET.SubElement(element, "value").text = item.value
        if item.final:
            ET.SubElement(element, "final").text = "true"
    ET.indent(root)
    content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def _root(path: Path) -> ET.Element:
    try:
        root = ET.parse(path).getroot()
    except ET.ParseError as error:
        raise ClientError(f"{path} is not well-formed XML: {error}", _REMEDY, ENVIRONMENT) from error
    except OSError as error:
        raise ClientError(f"{path} can't be read: {error.strerror}", _REMEDY, ENVIRONMENT) from error
    if root.tag != "configuration":
        raise ClientError(f"{path} has the root <{root.tag}>, where <configuration> was expected", _REMEDY, ENVIRONMENT)
    return root


def _properties(element: ET.Element, path: Path, including: frozenset[Path]) -> Iterator[Property]:
    for child in element:
        if child.tag == "property":
            yield from _property(child)
        elif child.tag == "configuration":
            yield from _properties(child, path, including)
        elif child.tag == f"{_XINCLUDE}include":
            yield from _included(child, path, including)


def _property(element: ET.Element) -> Iterator[Property]:
    """Children or attributes."""
    name, value, final = (element.findtext(key) or element.get(key) or "" for key in ("name", "value", "final"))
    if name:
        yield Property(name.strip(), value, final == "true")


def _included(include: ET.Element, path: Path, including: frozenset[Path]) -> Iterator[Property]:
    href = include.get("href", "")
    parts = urlsplit(href)
    target = path.parent / unquote(parts.path)
    fallback = include.find(f"{_XINCLUDE}fallback")
    if target.resolve() in including:
        raise ClientError(f"{path} includes {href}, which is being read already", "take one of the two includes away", ENVIRONMENT)
    if parts.scheme in ("", "file") and target.is_file():
        yield from _properties(_root(target), target, including | {target.resolve()})
    elif fallback is not None:
        yield from _properties(fallback, path, including)
    else:
        raise ClientError(
            f"{path} includes {href!r}, which is no file here", "put it there, or give the include an xi:fallback", ENVIRONMENT
        )
