"""A serving stack simulated event by event: a load, replicas, a router, failures and autoscaling."""

from lab.serving.fleet import Autoscaler, Failure, simulate
from lab.serving.load import Load, make_load
from lab.serving.outcome import Outcome
from lab.serving.replica import Engine, Replica, Request
from lab.serving.scripted import ScriptedReplica, scripted_request

__all__ = [
    "Autoscaler",
    "Engine",
    "Failure",
    "Load",
    "Outcome",
    "Replica",
    "Request",
    "ScriptedReplica",
    "make_load",
    "scripted_request",
    "simulate",
]
