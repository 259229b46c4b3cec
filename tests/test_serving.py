"""The serving simulator against queueing theory, itself, and cases counted by hand."""

import math

import numpy as np
import pytest

from lab.errors import CourseError
from lab.serving import Autoscaler, Engine, Failure, Load, make_load, simulate

FIRST = Engine(prefill_tokens_per_s=100.0, decode_s=0.1, slots=4)


def to_first(request, replicas):
    return 0


def least(request, replicas):
    return min(range(len(replicas)), key=lambda i: replicas[i].load)


def load_of(*rows):
    """rows: (arrival_s, prompt_tokens, output_tokens[, prefix, prefix_tokens])."""
    full = [(*row, -1, 0)[:5] for row in rows]
    columns = zip(*full, strict=True)
    return Load(*(np.array(c, np.float64 if i == 0 else np.int64) for i, c in enumerate(columns)))


def poisson(rng, n, rate):
    return np.cumsum(rng.exponential(1 / rate, n))


def queue(rng, n, rate, service_tokens, where):
    """A load whose service is prefill alone, or decoding alone."""
    one, none = np.ones(n, np.int64), np.zeros(n, np.int64)
    prompt, output = (service_tokens, one) if where == "prefill" else (none, service_tokens + 1)
    return Load(poisson(rng, n, rate), prompt, output, none - 1, none)


def erlang_c(servers, offered):
    """The probability of waiting in M/M/c (Kleinrock, Queueing Systems I, 3.5)."""
    terms = [offered**k / math.factorial(k) for k in range(servers)]
    last = offered**servers / math.factorial(servers) * servers / (servers - offered)
    return last / (sum(terms) + last)


@pytest.mark.parametrize("busy", [0.5, 0.7])
def test_m_m_1(busy):
    rng = np.random.default_rng(1)
    n, mean = 300_000, 10_000
    tokens = np.rint(rng.exponential(mean, n)).astype(np.int64)
    engine = Engine(prefill_tokens_per_s=mean, decode_s=1.0)
    got = simulate(queue(rng, n, busy, tokens, "prefill"), engine, 1, to_first)
    assert got.latency_s.mean() == pytest.approx(1 / (1 - busy), rel=0.02)


@pytest.mark.parametrize("busy", [0.5, 0.7])
def test_m_d_1(busy):
    rng = np.random.default_rng(2)
    n = 400_000
    engine = Engine(prefill_tokens_per_s=100.0, decode_s=1.0)
    load = queue(rng, n, busy, np.full(n, 100), "prefill")
    got = simulate(load, engine, 1, to_first)
    assert (got.start_s - got.arrival_s).mean() == pytest.approx(busy / (2 * (1 - busy)), rel=0.02)


@pytest.mark.parametrize(("servers", "offered"), [(2, 1.2), (8, 6.0)])
def test_m_m_c(servers, offered):
    rng = np.random.default_rng(3)
    n, mean = 300_000, 10_000
    tokens = np.rint(rng.exponential(mean, n)).astype(np.int64)
    engine = Engine(prefill_tokens_per_s=1.0, decode_s=1 / mean, slots=servers)
    got = simulate(queue(rng, n, offered, tokens, "decode"), engine, 1, to_first)
    wait = erlang_c(servers, offered) / (servers - offered)
    assert got.latency_s.mean() == pytest.approx(1 + wait, rel=0.02)
    waited = (got.start_s - got.arrival_s > 1e-9).mean()
    assert waited == pytest.approx(erlang_c(servers, offered), rel=0.02)


def test_sequences_share_the_machine_as_in_processor_sharing():
    """M/M/1-PS: the mean latency of M/M/1, and proportional to the length of the output."""
    rng = np.random.default_rng(4)
    n, mean, busy = 200_000, 10_000, 0.6
    tokens = np.rint(rng.exponential(mean, n)).astype(np.int64) + 1
    # A step of n sequences takes n times as long; the constant part is next to nothing.
    engine = Engine(1.0, decode_s=1e-12, sequence_s=1 / mean, slots=10_000)
    got = simulate(queue(rng, n, busy, tokens, "decode"), engine, 1, to_first)
    assert got.latency_s.mean() == pytest.approx(1 / (1 - busy), rel=0.02)
    long = tokens > 2 * mean
    slowness = got.latency_s[long].sum() / (tokens[long].sum() / mean)
    assert slowness == pytest.approx(1 / (1 - busy), rel=0.02)


def test_two_requests_by_hand():
    # Prefill 1 s and 2 s one after the other; then 10 tokens each of 0.1 s.
    got = simulate(load_of((0.0, 100, 11), (0.0, 200, 11)), FIRST, 1, to_first)
    assert got.first_token_s.tolist() == pytest.approx([1.0, 3.0])
    assert got.finish_s.tolist() == pytest.approx([2.0, 4.0])


def test_a_step_gets_longer_with_each_sequence():
    engine = Engine(1000.0, decode_s=0.1, sequence_s=0.1, slots=4)
    # Alone from 1 to 2: 5 tokens of 0.2 s; then two: 0.3 s a token.
    got = simulate(load_of((0.0, 1000, 11), (1.0, 1000, 6)), engine, 1, to_first)
    assert got.finish_s.tolist() == pytest.approx([3.5, 3.5])


def test_slots_are_the_most_that_run():
    engine = Engine(1e9, decode_s=0.1, slots=2)
    got = simulate(load_of(*[(0.0, 1, 11)] * 5), engine, 1, to_first)
    assert got.finish_s.tolist() == pytest.approx([1.0, 1.0, 2.0, 2.0, 3.0], abs=1e-6)


def test_a_cached_prefix_is_not_read_again_and_the_oldest_leaves():
    engine = Engine(100.0, decode_s=0.1, prefix_slots=1)
    rows = [(10.0 * i, 300, 1, prefix, 200) for i, prefix in enumerate([0, 0, 1, 0])]
    got = simulate(load_of(*rows), engine, 1, to_first)
    assert got.prefix_hit.tolist() == [False, True, False, False]
    assert got.ttft_s.tolist() == pytest.approx([3.0, 1.0, 3.0, 3.0])


def test_what_was_on_a_failed_replica_begins_again():
    engine = Engine(100.0, decode_s=1.0, slots=4)
    rows = [(0.0, 100, 11), (0.0, 100, 11)]
    turns = iter([0, 1, 0])
    failures = [Failure(1, down_s=5.0)]
    got = simulate(load_of(*rows), engine, 2, lambda r, up: next(turns), failures)
    assert got.retries.tolist() == [0, 1] and got.replica.tolist() == [0, 0]
    assert got.finish_s.tolist() == pytest.approx([11.0, 16.0])
    assert got.replica_s == pytest.approx(32.0)


def test_requests_wait_while_no_replica_is_up():
    got = simulate(load_of((2.0, 100, 1)), FIRST, 1, to_first, [Failure(0, 1.0, 4.0)])
    assert got.finish_s.tolist() == pytest.approx([5.0])
    with pytest.raises(CourseError, match="cannot be served"):
        simulate(load_of((2.0, 100, 1)), FIRST, 1, to_first, [Failure(0, 1.0)])


def test_an_ordered_replica_takes_its_time_and_is_paid_from_the_order():
    engine = Engine(100.0, decode_s=1.0, slots=1)
    scaler = Autoscaler(lambda up: 2, every_s=1.0, start_s=3.0)
    rows = [(0.0, 1000, 1), (0.5, 100, 1), (4.5, 100, 1)]
    got = simulate(load_of(*rows), engine, 1, least, autoscaler=scaler)
    # The second was queued before the new replica came at 4 s; the third goes there.
    assert got.replica.tolist() == [0, 0, 1]
    assert got.finish_s.tolist() == pytest.approx([10.0, 11.0, 5.5])
    assert got.replica_s == pytest.approx(11.0 + 10.0)


def test_a_replica_that_is_not_wanted_finishes_its_work_first():
    engine = Engine(100.0, decode_s=1.0, slots=1)
    scaler = Autoscaler(lambda up: 1, every_s=1.0, start_s=3.0)
    rows = [(0.0, 1000, 1), (0.0, 500, 1), (2.0, 100, 1)]
    turns = iter([0, 1, 0])
    got = simulate(load_of(*rows), engine, 2, lambda r, up: next(turns), autoscaler=scaler)
    # At 1 s replica 0 is told to end: it serves its request, and the third goes to the other.
    assert got.replica.tolist() == [0, 1, 1]
    assert got.finish_s.tolist() == pytest.approx([10.0, 5.0, 6.0])
    assert got.replica_s == pytest.approx(20.0)


def test_the_same_seed_gives_the_same_times():
    def once(seed):
        rng = np.random.default_rng(seed)
        load = make_load(rng, 20, 60, prefixes=10, prefix_tokens=500, burstiness=3)
        engine = Engine(20_000, 0.02, 0.0005, slots=16, prefix_slots=4)
        return simulate(load, engine, 3, least, [Failure(1, 20.0, 30.0)]).finish_s

    assert once(5).tobytes() == once(5).tobytes()
    assert once(5).tobytes() != once(6).tobytes()


def test_every_request_is_served_once_whatever_happens():
    rng = np.random.default_rng(7)
    load = make_load(rng, 10, 120, burstiness=4)
    scaler = Autoscaler(lambda up: 1 + sum(r.load for r in up) // 20, every_s=5, start_s=20)
    failures = [Failure(0, 30.0, 40.0), Failure(1, 35.0)]
    engine = Engine(5_000, 0.02, 0.001, slots=8)
    got = simulate(load, engine, 2, least, failures, scaler)
    assert np.all(got.finish_s >= got.first_token_s) and np.all(got.first_token_s >= got.start_s)
    assert np.all(got.start_s >= got.arrival_s) and np.isfinite(got.finish_s).all()
    assert got.retries.sum() > 0 and got.replica.max() >= 2


def test_loads_have_their_rate_lengths_and_bursts():
    rng = np.random.default_rng(8)
    load = make_load(rng, 50, 2000, prompt_tokens=300, output_tokens=80, burstiness=4, prefixes=3)
    gaps = np.diff(load.arrival_s)
    assert len(load) / 2000 == pytest.approx(50, rel=0.02)
    assert gaps.var() / gaps.mean() ** 2 == pytest.approx(4, rel=0.05)
    assert np.median(load.prompt_tokens) == pytest.approx(300, rel=0.02)
    assert np.bincount(load.prefix)[0] / len(load) == pytest.approx(6 / 11, rel=0.02)


@pytest.mark.parametrize("answer", [2, -1, True, 0.0, None])
def test_a_router_s_wrong_answer_is_told(answer):
    with pytest.raises(CourseError, match="position from 0 to 1"):
        simulate(load_of((0.0, 1, 1)), FIRST, 2, lambda r, up: answer)


def test_loads_and_engines_that_make_no_sense_are_refused():
    with pytest.raises(CourseError, match="order of their arrival"):
        load_of((1.0, 1, 1), (0.0, 1, 1))
    with pytest.raises(CourseError, match="1 token or more"):
        load_of((0.0, 1, 0))
    with pytest.raises(CourseError, match="above 0"):
        Engine(0.0, 1.0)
    with pytest.raises(CourseError, match="above 0"):
        make_load(np.random.default_rng(0), 0, 1)
    with pytest.raises(CourseError, match="At least one replica"):
        simulate(load_of((0.0, 1, 1)), FIRST, 0, to_first)
    with pytest.raises(CourseError, match="no replica 3"):
        simulate(load_of((0.0, 1, 1)), FIRST, 2, to_first, [Failure(3, 1.0)])
    empty = simulate(Load(*[np.zeros(0)] * 5), FIRST, 1, to_first)
    assert len(empty.latency_s) == 0


def test_prompt_tokens_ahead_are_those_that_wait_or_are_read():
    seen = []

    def look(request, replicas):
        seen.append([r.prompt_tokens_ahead for r in replicas])
        return 0

    rows = [(0.0, 200, 5), (0.5, 300, 5), (1.0, 100, 5), (2.5, 100, 1), (30.0, 100, 1)]
    simulate(load_of(*rows), FIRST, 1, look)
    # At 2.5 s the first has been read (2 s), the second is being read.
    assert seen == [[0], [200], [500], [400], [0]]


def test_prompt_tokens_ahead_are_lost_with_the_replica():
    seen = []

    def look(request, replicas):
        seen.append([r.prompt_tokens_ahead for r in replicas])
        return 0

    rows = [(0.0, 200, 1), (0.0, 300, 1), (4.0, 100, 1)]
    simulate(load_of(*rows), FIRST, 2, look, [Failure(0, 1.0, 3.0)])
    # Both begin again on replica 1 at 1 s; at 4 s replica 0 is back, empty.
    assert seen == [[0, 0], [200, 0], [0], [200], [0, 300]]
