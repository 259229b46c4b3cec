"""The text that every Python carries, as documents: training split and held-out split.

A document is one module of the standard library (signatures and docstrings) or one part of the
language reference (`pydoc_data.topics`). Nothing is downloaded. Another Python version has other
text, so the token ids that came of it are shipped, and `describe` says which Python made them.
"""

import ast
import contextlib
import hashlib
import importlib
import importlib.machinery
import inspect
import platform
import random
import sys
import sysconfig
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from lab.errors import CourseError
from lab.stand_ins import python_docs_text

# Not part of what a program imports, bundled from elsewhere, or generated.
SKIPPED_FOLDERS = {
    "test",
    "tests",
    "idlelib",
    "lib2to3",
    "turtledemo",
    "ensurepip",
    "pydoc_data",
    "encodings",
    "site-packages",
    "dist-packages",
    "__pycache__",
}
SKIPPED_PREFIXES = ("_sysconfigdata", "_test", "_xx", "xx")
# Documents whose name hashes to 0 modulo this are held out.
HELDOUT_ONE_IN = 16
SHUFFLE_SEED = 0
# Fewer documents than this means that the standard library was not found.
LEAST_DOCUMENTS = 100

# What documents are made of: a heading such as "heapq.heappop(heap)" and a docstring.
Entry = tuple[str, str]


@dataclass(frozen=True)
class Document:
    """One module or one part of the language reference.

    Attributes:
        name: "heapq", "reference/train" ...
        text: entries with an empty line between them; never empty.
        heldout: whether it is kept out of training.
    """

    name: str
    text: str
    heldout: bool


def build_corpus() -> list[Document]:
    """Every document, in an order shuffled with a fixed seed; no paragraph occurs twice.

    A paragraph that both splits have stays in training only.

    Raises:
        CourseError: the standard library's sources are not where Python says they are.
    """
    modules = {name: list(entries) for name, entries in _library()}
    if len(modules) < LEAST_DOCUMENTS:
        raise CourseError(
            f"Only {len(modules)} documented modules were found in {sysconfig.get_path('stdlib')}: "
            "use a Python that has its standard library as .py files."
        )
    reference = python_docs_text()
    drafts = [(_held_out(name), name, entries) for name, entries in modules.items()]
    drafts.append((False, "language reference, training part", [("", reference[0])]))
    drafts.append((True, "language reference, test part", [("", reference[1])]))
    drafts.sort()  # training documents first
    documents = list(_without_repeats(drafts))
    random.Random(SHUFFLE_SEED).shuffle(documents)
    return documents


def describe(documents: list[Document]) -> dict[str, str | int]:
    """Python version, platform, sha256 and sizes of a corpus, for `corpus.json`."""
    digest = hashlib.sha256()
    for document in documents:
        digest.update(f"{document.name}\0{document.heldout}\0{document.text}\0".encode())
    return {
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
        "sha256_of_text": digest.hexdigest(),
        "train_documents": sum(not d.heldout for d in documents),
        "heldout_documents": sum(d.heldout for d in documents),
        "train_characters": sum(len(d.text) for d in documents if not d.heldout),
        "heldout_characters": sum(len(d.text) for d in documents if d.heldout),
    }


def _held_out(name: str) -> bool:
    """The same answer on every machine and for every Python version."""
    return int(hashlib.sha256(name.encode()).hexdigest(), 16) % HELDOUT_ONE_IN == 0


def _without_repeats(drafts: list[tuple[bool, str, list[Entry]]]) -> Iterator[Document]:
    """Drop every paragraph that was seen before (spaces aside), and entries left without text."""
    seen: set[str] = set()
    for heldout, name, entries in drafts:
        texts = []
        for heading, body in entries:
            kept = []
            for paragraph in body.split("\n\n"):
                key = " ".join(paragraph.split())
                if key and key not in seen:
                    seen.add(key)
                    kept.append(paragraph.strip("\n"))
            if kept:
                texts.append(f"{heading}\n" * bool(heading) + "\n\n".join(kept))
        if texts:
            yield Document(name, "\n\n".join(texts) + "\n", heldout)


def _library() -> Iterator[tuple[str, Iterable[Entry]]]:
    """(module name, entries) of each documented module, first those in Python, then those in C."""
    root = Path(sysconfig.get_path("stdlib"))
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        if SKIPPED_FOLDERS & set(parts) or parts[-1].startswith(SKIPPED_PREFIXES):
            continue
        with contextlib.suppress(SyntaxError, UnicodeDecodeError), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(path.read_bytes())
            name = ".".join(part for part in parts if part != "__init__")
            yield name, _python_entries(tree, name)
    for name in sorted(sys.stdlib_module_names):
        if module := _compiled(name):
            yield name, _compiled_entries(module)


def _python_entries(node: ast.AST, name: str) -> Iterator[Entry]:
    """A module's own entry and those of all that is in it."""
    if docstring := ast.get_docstring(node):
        yield _python_heading(node, name), docstring.strip()
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _python_entries(child, f"{name}.{child.name}")


def _python_heading(node: ast.AST, name: str) -> str:
    match node:
        case ast.Module():
            return f"module {name}"
        case ast.ClassDef():
            bases = ", ".join(ast.unparse(base) for base in node.bases)
            return f"class {name}({bases})" if bases else f"class {name}"
        case _:
            returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
            return f"{name}({ast.unparse(node.args)}){returns}"


def _compiled(name: str) -> ModuleType | None:
    """The module if it is compiled C (imported for its docstrings), else None."""
    if name.startswith(SKIPPED_PREFIXES):
        return None
    with contextlib.suppress(ImportError, ValueError):
        spec = importlib.util.find_spec(name)
        suffixes = tuple(importlib.machinery.EXTENSION_SUFFIXES)
        if spec and (spec.origin == "built-in" or (spec.origin or "").endswith(suffixes)):
            return importlib.import_module(name)
    return None


def _compiled_entries(module: ModuleType) -> Iterator[Entry]:
    """The same for a module in C: its functions, classes and their methods (no `__add__`)."""
    name = module.__name__
    yield f"module {name}", _clean(module)
    for key, value in sorted(vars(module).items()):
        if isinstance(value, type) and value.__module__ == name:
            yield f"class {name}.{key}", _clean(value)
            for method, function in sorted(vars(value).items()):
                if callable(function) and not method.startswith("__"):
                    yield f"{name}.{key}.{method}{_signature(function)}", _clean(function)
        elif inspect.isroutine(value):
            yield f"{name}.{key}{_signature(value)}", _clean(value)


def _clean(value: object) -> str:
    """The object's docstring without indentation, or an empty string."""
    docstring = getattr(value, "__doc__", None)
    return inspect.cleandoc(docstring).strip() if isinstance(docstring, str) else ""


def _signature(function: object) -> str:
    """C functions carry theirs as text, with a $ before the bound argument."""
    return (getattr(function, "__text_signature__", None) or "(...)").replace("$", "")
