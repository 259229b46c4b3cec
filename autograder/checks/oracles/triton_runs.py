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


def stored_once(
    run: dict, name: str, count: int, programs: int, most_sectors: int | None = None
) -> None:
    """`count` elements written once, by `programs` programs; says nothing where unwatched.

    most_sectors: at most so many sectors in all requests together.
    """
    elements, sectors, wrote = run.get("stored", {}).get(name, (count, 0, programs))
    expect.that(
        (elements, wrote) == (count, programs),
        f"Each element of `{name}` is to be written once, by its own program.",
        yours=f"writes: {elements}, by programs: {wrote}",
        right=f"writes: {count}, by programs: {programs}",
    )
    expect.that(
        most_sectors is None or sectors <= most_sectors,
        "The lanes of a program are to do neighbouring elements.",
        yours=f"{sectors} sectors written in `{name}`",
        right=f"at most {most_sectors}",
    )
