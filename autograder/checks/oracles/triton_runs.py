"""What every check of a Triton kernel asks of a run before and after its values."""

from typing import Any

from autograder.checks import expect


def started(answer: Any) -> dict:
    """The run of a kernel; refuses what is no kernel."""
    run = expect.mapping(answer, ("kind",))
    expect.that(
        run["kind"] == "kernel",
        "This must be a Triton kernel: keep the line @triton.jit above the function.",
        stage="type",
        yours=f"a {run['kind']}",
        right="a kernel",
    )
    return run


def clean(run: dict, sizes: dict[str, int]) -> None:
    """No input changed, no access outside a buffer; sizes: elements by buffer name."""
    changed = run["changed"]
    expect.that(not changed, f"The kernel writes to its input `{changed}`.", stage="mutation")
    if run["outside"]:
        name, index, way, program = run["outside"][0]
        verb = "reads" if way == "read" else "writes"
        expect.wrong(
            "values",
            f"The kernel {verb} outside `{name}`.",
            yours=f"element {index}",
            right=f"0 to {sizes.get(name, 0) - 1}",
            where=f"program {tuple(program)}",
            hint="Mask every load and store; a masked lane touches no memory.",
        )
