"""Answers to route-servers."""

import functools
import math

from scipy import stats

from autograder.checks.bank import right, wrong


def _refuse(rate, service, wait, share):
    if rate <= 0 or service <= 0 or wait < 0 or not 0 < share < 1:
        raise ValueError("range")


@functools.lru_cache(maxsize=100_000)
def _blocked(a, c):
    b = 1.0
    for k in range(1, c + 1):
        b = a * b / (k + a * b)
    return b


def _chance(a, c):
    b = _blocked(a, c)
    return b / (1 - a / c * (1 - b))


def _needed(rate, service, wait, share, *, chance=_chance, tail=None, mean=None, start=None):
    _refuse(rate, service, wait, share)
    a = rate * service
    c = start(a) if start else math.floor(a) + 1
    tail = tail or (lambda p, a, c: p * math.exp(-(c - a) * wait / service))
    mean = mean or (lambda p, a, c: p * service / (c - a))
    # Some misconceptions would never stop.
    while c <= a or (1 - tail(chance(a, c), a, c) < share and c < 1.2 * a + 40):
        c += 1
    p = chance(a, c)
    return c, a / c, p, mean(p, a, c)


@right("the recurrence of Erlang B, anew for each c")
def by_recurrence(rate_per_s, service_s, most_wait_s, share):
    return _needed(rate_per_s, service_s, most_wait_s, share)


@right("logarithms of the terms")
def by_logarithms(rate_per_s, service_s, most_wait_s, share):
    _refuse(rate_per_s, service_s, most_wait_s, share)
    a = rate_per_s * service_s
    c = int(a) + 1
    while True:
        terms = [k * math.log(a) - math.lgamma(k + 1) for k in range(c + 1)]
        terms[c] += math.log(c / (c - a))
        top = max(terms)
        p = math.exp(terms[c] - top) / math.fsum(math.exp(t - top) for t in terms)
        if 1 - p * math.exp(-(c - a) / service_s * most_wait_s) >= share:
            return c, a / c, p, p * service_s / (c - a)
        c += 1


@right("scipy's Poisson distribution")
def by_scipy(rate_per_s, service_s, most_wait_s, share):
    def chance(a, c):
        ratio = stats.poisson.pmf(c, a) / stats.poisson.cdf(c, a)
        return float(ratio / (1 - a / c * (1 - ratio)))

    return _needed(rate_per_s, service_s, most_wait_s, share, chance=chance)


@wrong("erlang-b", "Erlang B is for calls that are lost; here they wait: Erlang C.")
def erlang_b(rate_per_s, service_s, most_wait_s, share):
    return _needed(rate_per_s, service_s, most_wait_s, share, chance=_blocked)


@wrong("littles-law-alone", "The smallest stable number of servers keeps no promise.")
def little(rate_per_s, service_s, most_wait_s, share):
    return _needed(rate_per_s, service_s, most_wait_s, share, tail=lambda p, a, c: 0.0)


@wrong("zero-wait-always", "Those that wait at most most_wait_s count as well.")
def no_time(rate_per_s, service_s, most_wait_s, share):
    return _needed(rate_per_s, service_s, most_wait_s, share, tail=lambda p, a, c: p)


@wrong("mean-under-the-limit", "The promise is for a share of the requests, not for the mean.")
def mean_rule(rate_per_s, service_s, most_wait_s, share):
    return _needed(rate_per_s, service_s, most_wait_s, share,
                   tail=lambda p, a, c: float(p * service_s / (c - a) > most_wait_s))  # fmt: skip


@wrong("waiting-only", "The share is of all requests, not of those that wait.")
def of_waiting(rate_per_s, service_s, most_wait_s, share):
    return _needed(rate_per_s, service_s, most_wait_s, share,
                   tail=lambda p, a, c: math.exp(-(c - a) * most_wait_s / service_s))  # fmt: skip


@wrong("rate-of-one-server", "The queue drains at (c - a) / service.")
def slow_tail(rate_per_s, service_s, most_wait_s, share):
    return _needed(rate_per_s, service_s, most_wait_s, share,
                   tail=lambda p, a, c: p * math.exp(-(1 - a / c) * most_wait_s / service_s))  # fmt: skip


@wrong("service-forgotten", "Time counts in service times: divide by service_s.")
def no_service(rate_per_s, service_s, most_wait_s, share):
    return _needed(rate_per_s, service_s, most_wait_s, share,
                   tail=lambda p, a, c: p * math.exp(-(c - a) * most_wait_s))  # fmt: skip


@wrong("one-more", "The fewest servers that do.")
def one_more(rate_per_s, service_s, most_wait_s, share):
    c, _, _, _ = _needed(rate_per_s, service_s, most_wait_s, share)
    a, c = rate_per_s * service_s, c + 1
    p = _chance(a, c)
    return c, a / c, p, p * service_s / (c - a)


@wrong("wait-of-those-that-wait", "The mean is over all requests: times the chance of waiting.")
def conditional(rate_per_s, service_s, most_wait_s, share):
    return _needed(rate_per_s, service_s, most_wait_s, share, mean=lambda p, a, c: service_s / (c - a))  # fmt: skip


@wrong("service-counted-in", "The wait ends where service starts.")
def latency(rate_per_s, service_s, most_wait_s, share):
    return _needed(rate_per_s, service_s, most_wait_s, share,
                   mean=lambda p, a, c: p * service_s / (c - a) + service_s)  # fmt: skip


@wrong("separate-queues", "One queue for all servers, not one each.")
def separate(rate_per_s, service_s, most_wait_s, share):
    return _needed(rate_per_s, service_s, most_wait_s, share, chance=lambda a, c: a / c)


@wrong("factorials-overflow", "a^c and c! overflow for large loads: use the recurrence.")
def factorials(rate_per_s, service_s, most_wait_s, share):
    def chance(a, c):
        last = a**c / float(math.factorial(c)) * c / (c - a)
        return last / (sum(a**k / float(math.factorial(k)) for k in range(c)) + last)

    return _needed(rate_per_s, service_s, most_wait_s, share, chance=chance)


@wrong("load-for-utilisation", "Utilisation is the offered load over the servers.")
def load_returned(rate_per_s, service_s, most_wait_s, share):
    c, busy, p, wait = _needed(rate_per_s, service_s, most_wait_s, share)
    return c, busy * c, p, wait


@wrong("servers-as-float", "The number of servers is an int.")
def as_float(rate_per_s, service_s, most_wait_s, share):
    c, *rest = _needed(rate_per_s, service_s, most_wait_s, share)
    return (float(c), *rest)


@wrong("nothing-refused", "Raise ValueError for numbers outside their range.")
def nothing_refused(rate_per_s, service_s, most_wait_s, share):
    try:
        return _needed(rate_per_s, service_s, most_wait_s, share)
    except ValueError:
        return 1, 0.0, 0.0, 0.0
