"""Reads syllabus.yml: YAML with line numbers, the type of every value, and the rules."""

import re
from collections.abc import Iterable
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import yaml

from autograder.syllabus import Exercise, Item, Module, Paper, Syllabus, SyllabusError

STATUSES = ("ready", "planned")
KINDS = ("code", "written")
NEEDS = ("cpu", "gpu", "none-here")
ITEM_ID = re.compile(r"^(\d+\.\d+\.[CKP]|A\.)\d+$")
NAME = re.compile(r"^[A-Za-z0-9_-]+$")  # what nbgrader's grade_id allows


class _Map(dict):
    """A mapping that knows the line it starts on."""

    line = 1


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """PyYAML's safe loader (libyaml's where it is built), with lines and no repeated keys."""


def _mapping(loader: _Loader, node: yaml.MappingNode) -> _Map:
    out = _Map()
    out.line = node.start_mark.line + 1
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str) or key in out:
            problem = f"the key {key!r} stands twice or is no text"
            raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
        out[key] = loader.construct_object(value_node, deep=True)
    return out


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def parse(path: Path) -> Any:
    """The file as plain data whose mappings know their line. Raises SyllabusError."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 (safe base)
    except UnicodeDecodeError:
        raise SyllabusError(f"{path.name}: is not UTF-8 text; save it as such.") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise SyllabusError(f"{path.name}{line}: not valid YAML ({error.problem}).") from None
    except yaml.YAMLError as error:
        raise SyllabusError(f"{path.name}: not valid YAML ({error}).".replace("\n", " ")) from None


class Reader:
    """Turns parsed YAML into the dataclasses, refusing whatever breaks a rule."""

    def __init__(self, shown: str):
        self.shown = shown
        self.lines: dict[str, int] = {}

    def fail(self, where: int | str, problem: str) -> SyllabusError:
        """where: a line, or the id of an entry already read."""
        line = where if isinstance(where, int) else self.lines.get(where, 1)
        return SyllabusError(f"{self.shown}:{line}: {problem}")

    def syllabus(self, raw: Any) -> Syllabus:
        course = self.build(Syllabus, raw, 1)
        self.unique("part", (part.id for part in course.parts))
        self.unique("module", (module.id for module in course.modules))
        self.unique("folder", (module.folder for module in course.modules))
        items = [i.id for group in (*course.parts, *course.modules) for i in group.items]
        self.unique("item", items)
        self.unique("exercise", (e.id for module in course.modules for e in module.exercises))
        for number, module in enumerate(course.modules):
            self.module(course, module, {m.id for m in course.modules[:number]})
        known = {module.id for module in course.modules}
        for owner in (*course.papers, *course.arsenal):
            name = owner.title if isinstance(owner, Paper) else owner.tool
            used = (owner.module,) if isinstance(owner, Paper) else owner.modules
            self.known(name, "module", used, known)
            self.known(name, "item", getattr(owner, "items", ()), course.items)
        return course

    def build(self, cls: type, raw: Any, line: int) -> Any:
        """A dataclass from a mapping: required and unknown keys, the type of each value."""
        if not isinstance(raw, _Map):
            raise self.fail(line, f"a {cls.__name__.lower()} must be a mapping of keys.")
        allowed = {field.name: field for field in fields(cls)}
        for key in raw:
            if key not in allowed:
                known = ", ".join(allowed)
                raise self.fail(raw.line, f"unknown key {key!r}; a {cls.__name__} has {known}.")
        if cls is Module and raw.get("notebooks") and "minutes" not in raw:
            raw = self.summed(raw)
        for name, field in allowed.items():
            if name not in raw and field.default is MISSING:
                raise self.fail(raw.line, f"the key {name!r} is missing from a {cls.__name__}.")
        hints = get_type_hints(cls)
        built = cls(**{key: self.value(key, hints[key], raw[key], raw.line) for key in raw})
        name = next((raw[key] for key in ("id", "file", "tool", "title") if key in raw), "")
        self.lines[name] = raw.line
        self.choices(built, raw.line)
        return built

    def summed(self, raw: _Map) -> _Map:
        out = _Map(raw, minutes=0)
        out.line = raw.line
        for entry in raw["notebooks"]:
            minutes = entry.get("minutes") if isinstance(entry, _Map) else None
            out["minutes"] += minutes if isinstance(minutes, int) else 0
        return out

    def value(self, key: str, hint: Any, raw: Any, line: int) -> Any:
        if get_origin(hint) is tuple:
            if not isinstance(raw, list):
                raise self.fail(line, f"{key!r} must be a list.")
            return tuple(self.value(key, get_args(hint)[0], one, line) for one in raw)
        if is_dataclass(hint):
            return self.build(hint, raw, line)
        if hint is str and (not isinstance(raw, str) or not raw.strip()):
            raise self.fail(line, f"{key!r} must be text, not {raw!r}; put it in quotes.")
        if hint in (int, float):
            number = isinstance(raw, (int, hint)) and not isinstance(raw, bool)
            if not number or not 0 < raw < 1e6:
                raise self.fail(line, f"{key!r} must be a positive number, not {raw!r}.")
        return raw

    def choices(self, built: Any, line: int) -> None:
        """Values out of a short list, and the shape of ids."""
        for name, allowed in (("status", STATUSES), ("kind", KINDS), ("needs", NEEDS)):
            value = getattr(built, name, allowed[0]) if not isinstance(built, Item) else allowed[0]
            if value not in allowed:
                raise self.fail(line, f"{name} {value!r} is none of {', '.join(allowed)}.")
        if isinstance(built, Item) and not ITEM_ID.match(built.id):
            raise self.fail(line, f"item id {built.id!r} is not like 1.1.C3 or A.1.")
        if isinstance(built, Exercise):
            if not NAME.match(built.id) or built.id.startswith("check-"):
                raise self.fail(
                    line,
                    f"exercise id {built.id!r}: use letters, digits, `_` and `-`, and no "
                    "`check-` in front.",
                )
            if not built.items:
                raise self.fail(line, f"exercise {built.id!r} names no item.")

    def unique(self, kind: str, ids: Iterable[str]) -> None:
        seen = set()
        for one in ids:
            if one in seen:
                raise self.fail(one, f"the {kind} {one!r} stands twice; give each its own name.")
            seen.add(one)

    def known(self, owner: str, kind: str, ids: Iterable[str], known: Iterable[str]) -> None:
        for one in ids:
            if one not in known:
                raise self.fail(owner, f"{owner!r} names the unknown {kind} {one!r}.")

    def module(self, course: Syllabus, module: Module, earlier: set[str]) -> None:
        """The rules that tie a module's entries to one another."""
        self.known(module.id, "part", [module.part], {part.id for part in course.parts})
        self.known(module.id, "earlier module", module.prerequisites, earlier)
        for item in module.items:
            if not item.id.startswith(module.id + "."):
                raise self.fail(item.id, f"item {item.id!r} stands in module {module.id!r}.")
        steps = tuple(item.id for item in module.items if item.kind == "P")
        if module.project.steps != steps:
            raise self.fail(
                module.project.title, f"the project's steps must be {', '.join(steps)}, in order."
            )
        files = [notebook.file for notebook in module.notebooks]
        self.unique("notebook", files)
        own = {item.id for item in module.items}
        for notebook in module.notebooks:
            self.known(notebook.file, "item", notebook.items, own)
        for exercise in module.exercises:
            self.known(exercise.id, "item", exercise.items, course.items)
            self.known(exercise.id, "notebook", [exercise.notebook], files)
        self.complete(module)

    def complete(self, module: Module) -> None:
        """Once every notebook of a ready module has exercises, every K and P item is named."""
        begun = {exercise.notebook for exercise in module.exercises}
        if module.status != "ready" or begun != {n.file for n in module.notebooks}:
            return
        named = {item for exercise in module.exercises for item in exercise.items}
        for item in module.items:
            if item.kind in "KP" and item.id not in named:
                raise self.fail(item.id, f"no exercise of module {module.id!r} names {item.id!r}.")
