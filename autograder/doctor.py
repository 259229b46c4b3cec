"""`course doctor`: what this machine can run."""

import sys

import click


@click.command()
def doctor() -> None:
    """Say what this machine can run, what is missing, and what each missing thing costs."""
    from lab import doctor as bench

    findings = bench.examine()
    click.echo(bench.render(findings))
    sys.exit(bench.exit_code(findings))
