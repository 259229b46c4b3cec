"""Answers to route-wait."""

import math
import statistics

import numpy as np

from autograder.checks.bank import right, wrong


def _refuse(rate, times, replicas):
    if rate < 0 or replicas < 1 or len(times) == 0 or min(times) <= 0:
        raise ValueError("range")


def _wait(rate, times, replicas, *, second=None, half=2, cut=False, shared=False, full=math.inf):
    _refuse(rate, times, replicas)
    times = np.asarray(times, float)
    one = rate if shared else rate / replicas
    busy = float(one * times.mean())
    square = (second or (lambda t: np.mean(t * t)))(times)
    wait = full if busy >= 1 else float(one * square / (half * (1 - busy)))
    return (min(1.0, busy) if cut else busy), wait


@right("the formula")
def formula(rate_per_s, service_s, replicas):
    return _wait(rate_per_s, service_s, replicas)


@right("by the squared coefficient of variation")
def by_variation(rate_per_s, service_s, replicas):
    _refuse(rate_per_s, service_s, replicas)
    times = [float(t) for t in service_s]
    mean, variance = statistics.fmean(times), statistics.pvariance(times)
    busy = rate_per_s / replicas * mean
    if busy >= 1:
        return busy, float("inf")
    return busy, busy / (1 - busy) * (1 + variance / mean**2) / 2 * mean


@wrong("square-of-the-mean", "E[S^2] is the mean of the squares.")
def square_of_mean(rate_per_s, service_s, replicas):
    return _wait(rate_per_s, service_s, replicas, second=lambda t: t.mean() ** 2)


@wrong("variance-alone", "E[S^2] is the variance plus the square of the mean.")
def variance(rate_per_s, service_s, replicas):
    return _wait(rate_per_s, service_s, replicas, second=lambda t: t.var())


@wrong("no-half", "The formula has a 2 below the line.")
def no_half(rate_per_s, service_s, replicas):
    return _wait(rate_per_s, service_s, replicas, half=1)


@wrong("exponential-service", "That is M/M/1; the sample's own second moment counts.")
def exponential(rate_per_s, service_s, replicas):
    return _wait(rate_per_s, service_s, replicas, second=lambda t: 2 * t.mean() ** 2)


@wrong("all-arrivals-at-each", "A replica gets rate / replicas.")
def all_arrivals(rate_per_s, service_s, replicas):
    return _wait(rate_per_s, service_s, replicas, shared=True)


@wrong("faster-server", "n queues are not one server that is n times as fast.")
def faster(rate_per_s, service_s, replicas):
    _refuse(rate_per_s, service_s, replicas)
    return _wait(rate_per_s, np.asarray(service_s) / replicas, 1)


@wrong("latency-for-wait", "The wait ends where service starts.")
def latency(rate_per_s, service_s, replicas):
    busy, wait = _wait(rate_per_s, service_s, replicas)
    return busy, wait + float(np.mean(service_s))


@wrong("sample-sum-of-squares", "The mean of the squares, not their sum.")
def summed(rate_per_s, service_s, replicas):
    return _wait(rate_per_s, service_s, replicas, second=lambda t: np.sum(t * t))


@wrong("utilisation-cut-off", "Utilisation is not cut off at 1.")
def cut_off(rate_per_s, service_s, replicas):
    return _wait(rate_per_s, service_s, replicas, cut=True)


@wrong("negative-wait", "At utilisation 1 and above the wait is inf.")
def negative(rate_per_s, service_s, replicas):
    busy, wait = _wait(rate_per_s, service_s, replicas)
    return (busy, wait) if busy < 1 else (busy, -1.0)


@wrong("nan-when-full", "At utilisation 1 and above the wait is inf.")
def nan(rate_per_s, service_s, replicas):
    return _wait(rate_per_s, service_s, replicas, full=math.nan)


@wrong("swapped", "Utilisation first, then the wait.")
def swapped(rate_per_s, service_s, replicas):
    return _wait(rate_per_s, service_s, replicas)[::-1]


@wrong("nothing-refused", "Raise ValueError for numbers outside their range.")
def nothing_refused(rate_per_s, service_s, replicas):
    try:
        return _wait(rate_per_s, service_s, replicas)
    except ValueError:
        return 0.0, 0.0
