"""Oracles that a bank's answers build on, carried into a made-up submission as text.

A learner's kernel cannot read the oracles: they are outside its sandbox. An answer of the bank may be
an oracle with one thing changed, so a submission made of it brings its own copy.
"""

import ast
from pathlib import Path

PACKAGE = "autograder.checks.oracles"
HEAD = f'''import sys as _sys, types as _types


def _carry(name, text):
    module = _types.ModuleType("{PACKAGE}." + name)
    _sys.modules[module.__name__] = module
    setattr(_sys.modules["{PACKAGE}"], name, module)
    exec(text, module.__dict__)


_sys.modules["{PACKAGE}"] = _types.ModuleType("{PACKAGE}")
'''


def carried(source: str, folder: Path) -> str:
    """Code that makes the oracles which `source` imports, and those they import; "" if none.

    folder: where the oracles lie.
    """
    order: list[str] = []
    _collect(source, folder, order)
    if not order:
        return ""
    texts = {name: (folder / f"{name}.py").read_text(encoding="utf-8") for name in order}
    return HEAD + "".join(f"_carry({name!r}, {text!r})\n" for name, text in texts.items())


def _collect(source: str, folder: Path, order: list[str]) -> None:
    """Names of the oracles in the order in which they can be made."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith(PACKAGE):
            continue
        rest = node.module.removeprefix(PACKAGE).strip(".")
        for name in [rest] if rest else [alias.name for alias in node.names]:
            if name not in order:
                _collect((folder / f"{name}.py").read_text(encoding="utf-8"), folder, order)
                order.append(name)
