"""The README's map of modules, from syllabus.yml."""

from autograder.syllabus import Syllabus


def course_map(syllabus: Syllabus) -> str:
    """A Markdown table: module, title, notebooks, minutes, points; planned ones say so."""
    lines = ["| module | title | notebooks | minutes | points |", "|---|---|---|---|---|"]
    for module in syllabus.modules:
        title = module.title
        if module.status == "ready":
            title = f"[{title}](modules/{module.folder}/)"
            size = f"{len(module.notebooks)} | {module.minutes} | {module.points:g}"
        else:
            size = f"planned | {module.minutes} | "
        lines.append(f"| {module.id} | {title} | {size} |")
    return "\n".join(lines)
