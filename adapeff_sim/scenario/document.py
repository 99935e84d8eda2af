"""A YAML file as plain values that remember their lines, read by somebody who trusts nobody.

bytes --size, UTF-8--> text --parser--> events --depth, count, no tags--> nodes --no twins--> values and their lines

Only what JSON knows comes out: text, numbers, true, false, lists, and mappings with text keys. Words are not taken for
something else: ``no`` is the Norwegian language, and ``1e-3`` is a number.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from adapeff_sim.errors import ScenarioError
from adapeff_sim.scenario.problems import Place, Problem, Problems, path_of

MOST_BYTES = 1_000_000
MOST_NODES = 20_000  # after aliases are written out
DEEPEST = 16
LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # only its parser runs: nothing is constructed
CONSTANTS: dict[str, bool | None] = {"": None, "~": None, "null": None, "true": True, "false": False}
INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
NUMBER = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?")
LIKELY = {
    "mapping values are not allowed": "put a text that has ': ' in it in quotes",
    "expected ',' or": "close the bracket",
    "unexpected end of stream": "close the quote",
    "undefined alias": "name an anchor that stands above",
    "expected <block end>": "indent the lines of one block alike",
    "expected '-' indicator": "indent the lines of one block alike",
    "expected key": "indent the lines of one block alike",
    "could not find expected ':'": "write key: value",
}


@dataclass(slots=True)
class Node:
    """One piece of the file; ``keys`` are the nodes that name the ``parts`` of a mapping."""

    line: int
    text: str = ""
    quoted: bool = False
    sort: str = "scalar"
    keys: list["Node"] = field(default_factory=list)
    parts: list["Node"] = field(default_factory=list)


@dataclass(slots=True)
class Document:
    """The values of a file, the line of every place in it, and what was wrong that did not keep it from being read."""

    file: str
    text: str = ""
    what: str = "scenario"  # that the file is to hold
    value: Any = None
    lines: dict[Place, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def line(self, place: Place) -> int:
        """The line of a place, or of what lies nearest around it; 0 for the whole file."""
        for end in range(len(place), 0, -1):
            if place[:end] in self.lines:
                return self.lines[place[:end]]
        return 0

    def problem(self, place: Place, text: str) -> Problem:
        """A problem with its line."""
        return Problem(place, text, self.line(place))


def read(path: Path) -> Document:
    """The document in a file. Raises ScenarioError when it cannot be read at all."""
    return parse(read_bytes(path), str(path))


def read_bytes(path: Path) -> bytes:
    """The bytes of a file, as many as matter. Raises ScenarioError when it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: no name that a file can have
        reason = getattr(error, "strerror", None) or error
        raise ScenarioError(f"{path_of((str(path),))}: cannot be read ({reason}); give a file that can be.") from None


def parse(content: bytes, file: str, what: str = "scenario") -> Document:
    """The document in some bytes. Raises Problems when they are no YAML of the size and shape of ``what``."""
    if len(content) > MOST_BYTES:
        _refuse(file, 0, f"more than {MOST_BYTES // 1000} kB, which no {what} needs; is it the right file?")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        _refuse(file, line, f"byte 0x{content[error.start]:02x} is not UTF-8; save the file as UTF-8 text")
    document = Document(file, text, what)
    _Values(document).fill(_Nodes(text, file, what).root())
    return document


def _refuse(file: str, line: int, text: str) -> NoReturn:
    raise Problems(file, [Problem((), text, line)]) from None


class _Nodes:
    """The parser's events as one tree of nodes; an alias is the node that it names."""

    def __init__(self, text: str, file: str, what: str) -> None:
        self.text, self.file, self.what = text, file, what
        self.count, self.anchors = 0, dict[str, Node]()
        self.events: Iterator[Any] = yaml.parse(text, Loader=LOADER)

    def root(self) -> Node:
        """The one document of the file."""
        try:
            self._next(), self._next()
            first = self._next()
            if first is None or isinstance(first, yaml.StreamEndEvent):
                _refuse(self.file, 0, "the file is empty; start with `name:`")
            root = self._node(first, 0)
            self._next()
            if isinstance(more := self._next(), yaml.DocumentStartEvent):
                _refuse(self.file, _line_of(more), f"a second document begins; a file holds one {self.what}")
        except yaml.YAMLError as error:
            self._explain(error)
        return root

    def _next(self) -> Any:
        return next(self.events, None)

    def _node(self, event: Any, depth: int) -> Node:
        line = _line_of(event)
        self.count += 1
        if self.count > MOST_NODES or depth > DEEPEST:
            limit = f"{MOST_NODES} values" if self.count > MOST_NODES else f"{DEEPEST} levels of nesting"
            _refuse(self.file, line, f"more than {limit}, which no {self.what} needs; is it the right file?")
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self.anchors:
                _refuse(self.file, line, f"no anchor {event.anchor!r} above (or around) its alias; write the value out")
            return self.anchors[event.anchor]
        if event.tag not in (None, "!") and not event.tag.startswith("tag:yaml.org,2002:str"):
            _refuse(self.file, line, f"tag {event.tag!r}; a {self.what} has plain values only, drop the tag")
        node = self._filled(event, Node(line), depth)
        if event.anchor:
            self.anchors[event.anchor] = node  # only now: what contains itself is not known inside
        return node

    def _filled(self, event: Any, node: Node, depth: int) -> Node:
        if isinstance(event, yaml.ScalarEvent):
            node.text, node.quoted = event.value, not event.implicit[0]
        elif isinstance(event, yaml.SequenceStartEvent):
            node.sort = "list"
            while not isinstance(part := self._next(), yaml.SequenceEndEvent):
                node.parts.append(self._node(part, depth + 1))
        else:
            node.sort = "mapping"
            while not isinstance(key := self._next(), yaml.MappingEndEvent):
                node.keys.append(self._node(key, depth + 1))
                node.parts.append(self._node(self._next(), depth + 1))
        return node

    def _explain(self, error: yaml.YAMLError) -> NoReturn:
        """The parser's complaint, with what would likely do."""
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        found = getattr(error, "problem", None) or str(error).splitlines()[0]
        line = mark.line + 1 if mark else 0
        lines = self.text.splitlines()
        if mark and mark.line < len(lines) and lines[mark.line].lstrip(" ").startswith("\t"):
            _refuse(self.file, line, "a tab at the beginning of the line; indent with spaces")
        if isinstance(error, yaml.reader.ReaderError):
            position = error.position if isinstance(error.position, int) else 0
            line = self.text.encode("utf-8", "replace")[:position].count(b"\n") + 1
            _refuse(self.file, line, "a control character; delete it, or save the file as plain text")
        fix = next((fix for part, fix in LIKELY.items() if part in found), "correct the YAML there or just above")
        _refuse(self.file, line, f"not readable as YAML ({found}); {fix}")


def _line_of(event: Any) -> int:
    return int(event.start_mark.line) + 1


class _Values:
    """Nodes as plain values: keys that stand twice, empty values and odd numbers become problems of their places."""

    def __init__(self, document: Document) -> None:
        self.document, self.count = document, 0

    def fill(self, root: Node) -> None:
        """Write values, lines and problems into the document."""
        if root.sort != "mapping":
            what = f"no `key: value` lines; a {self.document.what} starts with `name: ...`"
            _refuse(self.document.file, root.line, what)
        self.document.value = self._value(root, ())

    def _value(self, node: Node, place: Place) -> Any:
        self.count += 1
        if self.count > MOST_NODES:
            what = f"aliases stand for more than {MOST_NODES} values; write out what is meant"
            _refuse(self.document.file, node.line, what)
        self.document.lines.setdefault(place, node.line)
        if node.sort == "mapping":
            return self._mapping(node, place)
        if node.sort == "list":
            return [self._value(part, (*place, i)) for i, part in enumerate(node.parts)]
        return self._scalar(node, place)

    def _mapping(self, node: Node, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, part in zip(node.keys, node.parts, strict=True):
            at = (*place, key.text)
            if key.sort != "scalar":
                self._say(place, key.line, f"a {key.sort} stands where a key is expected; write key: value")
            elif key.text == "<<" and not key.quoted:
                self._say(at, key.line, "merge keys are not read; write the keys out")
            elif key.text in found:
                earlier = self.document.lines[at]
                self._say(at, key.line, f"the key stands there twice, first on line {earlier}; keep one")
            else:
                self.document.lines[at] = key.line
                found[key.text] = self._value(part, at)
        return found

    def _scalar(self, node: Node, place: Place) -> Any:
        text = node.text
        if any("\ud800" <= c <= "\udfff" for c in text):
            self._say(place, node.line, "half a character (a lone surrogate); write the whole one")
            return "?"
        if node.quoted:
            return text
        if text.lower() in CONSTANTS and text in (text.lower(), text.title(), text.upper()):
            return CONSTANTS[text.lower()]
        if INTEGER.fullmatch(text):
            return int(text)
        return float(text) if NUMBER.fullmatch(text) else text

    def _say(self, place: Place, line: int, text: str) -> None:
        self.document.problems.append(Problem(place, text, line))
