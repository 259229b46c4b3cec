"""The sandbox of a learner's kernel: layers that each say whether they hold on this machine."""

from autograder.grading.sandbox.layers import Layer, SandboxRefused, demand, render
from autograder.grading.sandbox.policy import Limits, Policy
from autograder.grading.sandbox.probe import probe_layers

__all__ = ["Layer", "Limits", "Policy", "SandboxRefused", "demand", "probe_layers", "render"]
