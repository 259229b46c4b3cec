"""A learner's CUDA source as the host's compiler takes it; what it declares.

The text stays as it is, line by line. Two things are written differently: `extern __shared__ T name[];`
names the launch's dynamic shared memory, which C++ says with a reference; and behind each declaration
of other `__shared__` variables stands a red zone, so that an index just outside of them is not inside
the next one.
"""

import functools
import re
from dataclasses import dataclass

from lab.cuda.elf import RED_ZONE
from lab.cuda.errors import CompileError, CudaError

FILE = "kernel.cu"
# A C name would stand in for the C library's: a kernel may be called `read` or `div`.
OWN = "course_own_"
_DYNAMIC = re.compile(
    r"\bextern\s+((?:[\w<>:,*()\s]*?\s)?)__shared__\s+([^;{}=]*?\b\w+)\s*\[\s*\]\s*;"
)
_DYNAMIC_TOO = re.compile(r"\b__shared__\s+extern\s+([^;{}=]*?\b\w+)\s*\[\s*\]\s*;")
_ALIGN = re.compile(r"\b(?:alignas|__align__)\s*\((?:[^()]|\([^()]*\))*\)")
_SHARED_ALIGNAS = re.compile(r"\b(__shared__)\s+(alignas\s*\((?:[^()]|\([^()]*\))*\))")
_SHARED = re.compile(r"\b__shared__\b(?!\s*extern\b)")
ZONE_BYTES = 256  # twice the width of all banks, so that a variable's banks stay as they were
_ASSEMBLY = re.compile(r"\b(?:asm|__asm|__asm__)\b")
_FIXED = re.compile(r"\bconst(expr)?\b")
_FUNCTION = re.compile(
    r"[^;{}]*?\b(?P<name>[A-Za-z_]\w*)\s*\([^;{}]*\)\s*(?:noexcept\s*|->[^;{}]*)?\{"
)
_IN_MACRO = re.compile(r"#\s*define(?:[^\n]*\\\n)*[^\n]*__global__")
_NAME = re.compile(r"([A-Za-z_]\w*)\s*\(")
# A declaration outside functions, up to its end or its first initial value.
_SYMBOL = re.compile(
    r"(?:^|(?<=[;}]))\s*((?:(?:static|extern|volatile|const)\s+)*"
    r"(?:__device__|__constant__|__managed__)\b[^;(){}=]*)(?=[=;{])"
)
_ALIGNED = re.compile(r"__align__\s*\(\s*\d+\s*\)")


@dataclass(frozen=True)
class Kernel:
    """A `__global__` function of a source.

    Attributes:
        c_name: declared extern "C", so that its name is what it says.
        template: a function template, which only a name expression reaches.
        parameters: names in order; "" where none is to be found.
    """

    name: str
    c_name: bool
    template: bool
    parameters: tuple[str, ...]


def blank(code: str) -> str:
    """The code with comments and the text in quotes as spaces; lines stay where they are."""

    def space(match: re.Match) -> str:
        return match[0] if match[0] == '"C"' else _spaces(match)

    pattern = r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\''
    return re.sub(pattern, space, code, flags=re.DOTALL)


def _spaces(match: re.Match) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _matching(text: str, at: int, pair: str = "()") -> int:
    """Index behind the bracket that closes the one at `at`."""
    depth = 0
    for index in range(at, len(text)):
        depth += (text[index] == pair[0]) - (text[index] == pair[1])
        if depth == 0:
            return index + 1
    return len(text)


def _parameters(text: str) -> tuple[str, ...]:
    """Names in a parameter list."""
    parts, depth, start = [], 0, 0
    for index, mark in enumerate(text):
        depth += (mark in "(<[{") - (mark in ")>]}")
        if mark == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    parts.append(text[start:])
    if not "".join(parts).strip():
        return ()
    names = (re.search(r"([A-Za-z_]\w*)\s*(?:\[[^\]]*\]\s*)*$", part.strip()) for part in parts)
    return tuple(match[1] if match else "" for match in names)


def kernels(code: str) -> dict[str, Kernel]:
    """The `__global__` functions by name, those that a macro makes too."""
    text = blank(_expanded(code) if _IN_MACRO.search(code) else code)
    blocks = [
        (match.end() - 1, _matching(text, match.end() - 1, "{}"))
        for match in re.finditer(r'extern\s*"C"\s*\{', text)
    ]
    found: dict[str, Kernel] = {}
    for match in re.finditer(r"\b__global__\b", text):
        head = re.split(r"[;{}]", text[: match.start()])[-1]
        at = match.end()
        while (name := _NAME.search(text, at)) and name[1] == "__launch_bounds__":
            at = _matching(text, name.end() - 1)
        if not name:
            continue
        inside = any(start < match.start() < stop for start, stop in blocks)
        between = text[match.end() : name.start()]
        c_name = inside or re.search(r'extern\s*"C"', head + between) is not None
        listed = text[name.end() : _matching(text, name.end() - 1) - 1]
        found[name[1]] = Kernel(name[1], c_name, "template" in head, _parameters(listed))
    return found


@functools.lru_cache(maxsize=64)
def _expanded(code: str) -> str:
    """The code with its macros expanded, its includes left out."""
    from lab.cuda import compiler, process  # late: they need this module

    text = re.sub(r"(?m)^\s*#\s*include\b.*$", "", code)
    command = [compiler.find(), "-E", "-P", "-x", "c++", "kernel.cu", "-o", "kernel.txt"]
    done = process.runner()(command, {"kernel.cu": text.encode()}, ["kernel.txt"], 30.0)
    return done.files.get("kernel.txt", code.encode()).decode(errors="replace")


def symbols(code: str) -> dict[str, bool]:
    """Variables of the module that change, by name: whether they are `__constant__`."""
    text = _outermost(re.sub(r"(?m)^\s*#.*$", lambda m: " " * len(m[0]), blank(code)))
    found = {}
    for match in _SYMBOL.finditer(_ALIGNED.sub("", text)):
        for part in match[1].split(","):
            name = re.search(r"([A-Za-z_]\w*)\s*(?:\[[^\]]*\]\s*)*$", part)
            if name and not _FIXED.search(match[1]):
                found[name[1]] = "__constant__" in match[1]
    return found


def _outermost(text: str) -> str:
    """The text outside braces; what is inside them is blank."""
    result, depth = [], 0
    for mark in text:
        depth -= mark == "}"
        result.append(mark if depth <= 0 or mark == "\n" else " ")
        depth += mark == "{"
    return "".join(result)


def unmarked(code: str) -> None:
    """Refuse a function that only the host could call, as NVIDIA's compiler does.

    Raises:
        CompileError: a function outside of classes and namespaces is marked neither `__device__` nor
            `__global__`.
    """
    text = blank(code)
    if re.search(r"#[ \t]*if", text):
        return  # what is compiled is not known here
    macros = set(re.findall(r"#[ \t]*define[ \t]+(\w+)", text))
    text = _outermost(re.sub(r"(?m)^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$", _spaces, text))
    for match in _FUNCTION.finditer(text):
        words = set(re.findall(r"\w+", match[0]))
        if not words & (macros | {"__device__", "__global__", "operator"}):
            line = text.count("\n", 0, match.start("name")) + 1
            raise CompileError(
                f"The CUDA source does not compile in line {line}: `{match['name']}` is a function of the "
                "host's: write `__device__` before it where a kernel calls it, or leave it out."
            )


def _with_red_zones(code: str) -> str:
    """The code with a red zone behind each declaration of static `__shared__` variables."""
    text, parts, done = blank(code), [], 0
    for number, match in enumerate(_SHARED.finditer(text)):
        end = _end_of_declaration(text, match.end())
        head = re.split(r"[;{}]", text[: match.start()])[-1]
        if end is None or end <= done or re.search(r"\bextern\b", head):
            continue
        zone = f" thread_local char {RED_ZONE}{number}[{ZONE_BYTES}] __attribute__((used));"
        parts += [code[done:end], zone]
        done = end
    return "".join([*parts, code[done:]])


def _end_of_declaration(text: str, at: int) -> int | None:
    """Index behind the `;` that ends the declaration at `at`; None where there is none."""
    start = text.rfind("\n", 0, at) + 1
    directive = text[start:at].lstrip().startswith("#") or text[:start].endswith("\\\n")
    depth = 0
    for index in range(at, len(text)):
        mark = text[index]
        depth += (mark in "([{") - (mark in ")]}")
        if depth < 0 or (directive and mark == "\n" and text[index - 1] != "\\"):
            return None
        if mark == ";" and not depth:
            return index + 1
    return None


def translate(code: str, names: dict[str, str]) -> str:
    """The C++ source to compile.

    Args:
        names: kernels to enter in the program's table, as the caller names them -> C++ expression.

    Raises:
        CudaError: it has inline assembly.
    """

    def dynamic(declared: str) -> str:
        kind, name = re.fullmatch(r"(.*?)(\w+)", _ALIGN.sub("", declared), re.DOTALL).groups()
        return f"{kind}(&{name})[] = reinterpret_cast<decltype({name})>(course_dynamic_shared);"

    if _ASSEMBLY.search(blank(code)):
        raise CudaError("Inline assembly is for one processor: without a GPU it cannot be run.")
    unmarked(code)
    body = _with_red_zones(_SHARED_ALIGNAS.sub(r"\2 \1", code))
    body = _DYNAMIC.sub(lambda m: dynamic(f"{m[1]} {m[2]}".strip()), body)
    body = _DYNAMIC_TOO.sub(lambda m: dynamic(m[1]), body)
    table = [
        f'static bool course_kernel_{i} = course::Caller<({expression})>::enter("{name}");'
        for i, (name, expression) in enumerate(names.items())
    ]
    table += [
        f'static bool course_symbol_{name} = course::enter_symbol("{name}", &{name}, sizeof({name}), '
        f"{'true' if constant else 'false'});"
        for name, constant in symbols(code).items()
    ]
    return "\n".join(
        [
            '#include "cuda_on_cpu.h"',
            *(f"#define {k.name} {OWN}{k.name}" for k in kernels(code).values() if k.c_name),
            "#pragma GCC poison asm __asm __asm__",
            f'#line 1 "{FILE}"',
            body,
            '#line 1 "table"',
            '#include "kernel_table.h"',
            *table,
            "",
        ]
    )


def pick(code: str, name: str) -> str:
    """Check that a source has a kernel of that name which a driver would find, and return the name.

    Raises:
        CudaError: there is none, or its name is mangled.
    """
    found = kernels(code)
    if name not in found:
        have = ", ".join(f"`{k}`" for k in found) or "no `__global__` function at all"
        raise CudaError(f"The source has no kernel `{name}`; it has {have}.")
    if found[name].template:
        raise CudaError(
            f"`{name}` is a template: use RawModule(code=..., name_expressions=['{name}<...>']) and "
            "get_function with the same expression."
        )
    if not found[name].c_name:
        raise CudaError(
            f'`{name}` is not declared extern "C", so its name is mangled and not found: '
            f'write `extern "C" __global__ void {name}(...)`.'
        )
    return name
