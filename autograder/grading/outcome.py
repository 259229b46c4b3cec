"""What became of each submission, and the table that says so."""

from collections.abc import Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.grading.intake import Intake, shown


@dataclass
class Outcome:
    """One submission. graded: whether it reached the gradebook."""

    student: str
    intake: Intake | None = None
    graded: bool = False

    @property
    def notebooks(self) -> list:
        return self.intake.notebooks if self.intake else []

    @property
    def remarks(self) -> list[str]:
        """Every sentence about it."""
        files = self.intake.files_left_out if self.intake else []
        return [text for taken in self.notebooks for text in taken.remarks] + files

    def bad(self) -> bool:
        """Whether the instructor should look at it."""
        return not self.graded or any(t.status in ("refused", "crashed") for t in self.notebooks)


def verdict(outcomes: list[Outcome]) -> str:
    """Why the run ends badly: the reason itself where there was one submission only.

    Formgrader and `course grade` grade one at a time, and show this without the table.
    """
    if len(outcomes) == 1:
        for taken in outcomes[0].notebooks:
            if taken.status in ("refused", "crashed"):
                return f"{taken.notebook} could not be graded: {taken.remarks[0]}"
    return "Some notebooks could not be graded; the table names them."


def print_outcomes(outcomes: list[Outcome], sandboxes: Mapping[str, int]) -> None:
    """A line for each notebook that was not as it should be, a line of counts, the sandbox.

    sandboxes: how many notebooks ran behind each sandbox, by its sentence.
    """
    table = Table(title="Submissions that needed attention")
    for column in ("student", "notebook", "result", "why"):
        table.add_column(column)
    for outcome in outcomes:
        for taken in outcome.notebooks:
            if taken.remarks:
                result = "repaired" if taken.status == "graded" else f"{taken.status}: zeros"
                cells = (shown(outcome.student), taken.notebook, result, "\n".join(taken.remarks))
                table.add_row(*map(Text, cells))
        if outcome.intake and outcome.intake.files_left_out:
            text = "\n".join(outcome.intake.files_left_out)
            table.add_row(*map(Text, (shown(outcome.student), "", "files left out", text)))
        if not outcome.graded:
            cells = (
                shown(outcome.student),
                "all",
                "not graded",
                "An error of nbgrader: see the log.",
            )
            table.add_row(*map(Text, cells))
    # A table in a log file keeps its sentences whole.
    console = Console(soft_wrap=False, width=None if Console().is_terminal else 160)
    if table.row_count:
        console.print(table)
    if outcomes:
        remarked = sum(bool(o.remarks) or not o.graded for o in outcomes)
        bad = sum(o.bad() for o in outcomes)
        console.print(
            f"{len(outcomes)} submissions: {len(outcomes) - remarked} as handed in, {remarked} with "
            f"remarks, {bad} of them with notebooks that could not be read or run."
        )
    print_sandboxes(console, sandboxes)


def print_sandboxes(console: Console, sandboxes: Mapping[str, int]) -> None:
    """A line for each sandbox that notebooks ran in: one, unless the machine changed meanwhile."""
    for sentence, notebooks in sandboxes.items():
        text = sentence if len(sandboxes) == 1 else f"{notebooks} notebooks: {sentence}"
        console.print(Text(text), soft_wrap=True)
