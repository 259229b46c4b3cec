"""`course doctor`: what this machine can run, and what holds a submission while it is graded."""

import sys

import click

from autograder.grading.sandbox.layers import Layer
from lab.doctor import Finding

RISK = (
    "a submission's code could do what you can do on this machine: read your files, use the network, "
    "stay behind. Grade here only what you would run yourself, or grade on Linux."
)


@click.command()
def doctor() -> None:
    """Say what this machine can run, what is missing, and what each missing thing costs."""
    from autograder.grading.sandbox import probe_layers
    from lab import doctor as bench

    layers = probe_layers()
    findings = bench.examine() + [finding(layer) for layer in layers]
    click.echo(bench.render(findings))
    if sentence := meaning(layers):
        click.echo(sentence)
    sys.exit(bench.exit_code(findings))


def finding(layer: Layer) -> Finding:
    """One layer of the sandbox, as the doctor says things."""
    name = f"sandbox {layer.name}"
    if layer.held:
        return Finding(name, "ok", f"held: {layer.detail}")
    return Finding(
        name,
        "missing",
        f"not held: {layer.detail}",
        "graded code is shut in less tightly; --require-sandbox refuses",
        "a Linux kernel of 5.13 or later that lets you use it",
    )


def meaning(layers: list[Layer]) -> str:
    """What absent layers mean for an instructor, one sentence; empty when all are held."""
    absent = [layer.name for layer in layers if not layer.held]
    if not absent:
        return ""
    if len(absent) == len(layers):
        return f"Without a sandbox, {RISK}"
    return f"The sandbox is incomplete here ({', '.join(absent)}): {RISK}"
