"""The `course` command. Each subcommand is imported when it is called, so help is quick."""

import importlib
import sys

import click

COMMANDS = {
    "build": (
        "autograder.build.commands",
        "Make modules/ from solutions/ (or --check that it is fresh).",
    ),
    "preview": (
        "autograder.build.commands",
        "Expand one source notebook, as solution or as released.",
    ),
    "answers": (
        "autograder.checks.commands",
        "Run the bank of right and wrong answers; print the table.",
    ),
    "check": ("autograder.checks.commands", "Run a notebook and print what its checks say."),
    "progress": ("autograder.dashboard.commands", "Write PROGRESS.md and the HTML dashboard."),
    "log": ("autograder.dashboard.commands", "Add an entry to the captain's log."),
    "doctor": ("autograder.doctor", "What this machine can run, and what is missing."),
    "grade": ("autograder.grading.commands", "Grade the submissions of an assignment."),
    "bench": ("autograder.bench.commands", "Measure the ways to grade a class, side by side."),
    "sample-class": ("autograder.grading.commands", "Grade a class of made-up submissions."),
}


class Lazy(click.Group):
    """A group whose commands live in modules that are imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        return getattr(importlib.import_module(COMMANDS[name][0]), name.replace("-", "_"))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def main(self, *args, **kwargs):
        """Run; a missing package is one sentence, not a stack trace."""
        try:
            return super().main(*args, **kwargs)
        except ModuleNotFoundError as error:
            if (error.name or "").split(".")[0] in ("autograder", "lab"):
                raise
            click.echo(f"Error: the package {error.name!r} is missing: run `make setup`.", err=True)
            sys.exit(1)


@click.command(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The course on model miniaturization and serving: build, check, grade, look."""
