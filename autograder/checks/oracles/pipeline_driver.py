"""Runs the offered pipeline against a learner's, each in a process of its own, and times both.

This text is started as a program in an empty folder, in the sandbox while grading; it has torch, NumPy
and the files that pipeline_race.py puts beside it, nothing of the course. The timer and the offered
pipeline live here. The learner's code lives in a worker that is forked before anything is read: it gets
each batch of prompts when it is to answer it, so it can neither know a batch beforehand nor touch the
clock, and it is stopped while the offered pipeline runs.
"""

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import time

for _name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
sys.dont_write_bytecode = True

import numpy as np  # noqa: E402
import torch  # noqa: E402
from pipeline_worker import Gone, receive, send, tensors, work  # noqa: E402

BUILD_LIMIT_S, CALL_LIMIT_S, CALLS_LIMIT_S = 30.0, 20.0, 60.0
HELPER_CPU_S = 0.05
FEWEST_ROUNDS, ROUNDS_S = 2, 8.0
PR_SET_DUMPABLE, PR_SET_CHILD_SUBREAPER = 4, 36


class Worker:
    """The learner's process: asked, timed, stopped and ended from here."""

    def __init__(self):
        self.ended, self.waited_s = False, 0.0
        into, out = os.pipe(), os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(into[1])
            os.close(out[0])
            with contextlib.suppress(BaseException):
                null = os.open(os.devnull, os.O_RDWR)
                for stream in (0, 1, 2):
                    os.dup2(null, stream)
                work(into[0], out[1])
            os._exit(0)
        os.close(into[0])
        os.close(out[1])
        self.inbox, self.outbox = out[0], into[1]

    def ask(self, seconds, header, *blobs):
        """The worker's answer to a message, as (header, raw bytes). Raises Gone."""
        try:
            send(self.outbox, header, *blobs)
        except BrokenPipeError:
            raise Gone("its process ended") from None
        return receive(self.inbox, time.monotonic() + seconds)

    def cpu_s(self):
        """CPU seconds of the whole process, from the kernel; NaN where it does not say."""
        try:
            return time.clock_gettime((~self.pid << 3) | 2)
        except OSError:
            return float("nan")

    def pause(self):
        """Stop it, with all its threads, and wait until it stands."""
        os.kill(self.pid, signal.SIGSTOP)
        _, status = os.waitpid(self.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            self.ended = True
            raise Gone("its process ended")

    def resume(self):
        os.kill(self.pid, signal.SIGCONT)

    def end(self):
        """End it and all that it started; whether others worked for it."""
        with contextlib.suppress(Gone):
            if not self.ended:
                self.pause()  # else it works on while its time is read
        own = self.cpu_s()
        if not self.ended:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        others = False
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            others = True
            if not pid:
                for child in _children():
                    os.kill(child, signal.SIGKILL)
        spent = resource.getrusage(resource.RUSAGE_CHILDREN)
        return others or spent.ru_utime + spent.ru_stime - own > HELPER_CPU_S


def _children():
    with open(f"/proc/self/task/{os.getpid()}/children") as listed:
        return [int(pid) for pid in listed.read().split()]


def _prctl(option, value):
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def offered(pipeline, weights, batch):
    """The offered pipeline's tokens and logits for a batch, with its wall and CPU seconds."""
    start = time.perf_counter(), time.process_time()
    results = pipeline["generate"](weights, batch["prompts"], batch["new_tokens"])
    spent = time.perf_counter() - start[0], time.process_time() - start[1]
    return [(tokens, rows.numpy()) for tokens, rows in results], spent


def asked(worker, batch):
    """The worker's answer to a batch, with its wall and CPU seconds."""
    start = time.perf_counter(), worker.cpu_s()
    left_s = min(CALL_LIMIT_S, CALLS_LIMIT_S - worker.waited_s)
    header, blobs = worker.ask(left_s, {"do": "call", **batch})
    spent = time.perf_counter() - start[0], worker.cpu_s() - start[1]
    worker.waited_s += spent[0]
    return (*sound(header, blobs), spent)


def sound(header, blobs):
    """An answer of the worker's, of the forms that `work` sends. Raises Gone for any other."""
    if not isinstance(header, dict):
        raise Gone("it sent no answer")
    if "error" in header:
        return {key: str(header.get(key, ""))[:300] for key in ("error", "text", "line")}, []
    results = header.get("results")
    if not isinstance(results, list) or len(results) != len(blobs):
        raise Gone("it sent no answer")
    for entry in results:
        good = isinstance(entry, list) and len(entry) == 3 and isinstance(entry[2], str)
        good = good and all(isinstance(part, list) for part in entry[:2])
        if not good or not all(type(n) is int for part in entry[:2] for n in part):
            raise Gone("it sent no answer")
    return {"results": results}, blobs


def differ(reference, header, blobs, bound):
    """Whether an answer is off: other forms, other tokens where there is no tie, other logits."""
    results = header.get("results", [])
    if len(results) != len(reference):
        return True
    for (tokens, rows), (theirs, shape, kind), blob in zip(reference, results, blobs, strict=True):
        if list(rows.shape) != shape or kind != "float32" or len(theirs) != len(tokens):
            return True
        if len(blob) != rows.nbytes:
            return True
        got = np.frombuffer(blob, np.float32).reshape(shape)
        for token, mine, row, want in zip(theirs, tokens, got, rows, strict=True):
            if not np.abs(row - want).max() <= bound:
                return True
            if token != mine:
                if not 0 <= token < len(want) or want[mine] - want[token] > 2 * bound:
                    return True
                break  # a tie within the bound: what follows may go another way
    return False


def race(worker, job, pipeline, weights_bytes, report, arrays):
    """Build, compare on the batches to check, then time round after round."""
    header = {"do": "build", "text": job["text"], "name": job["name"], "pipeline": job["pipeline"]}
    built, _ = worker.ask(BUILD_LIMIT_S, header, weights_bytes)
    if not isinstance(built, dict):
        raise Gone("it sent no answer")
    report["built"] = {
        key: built[key] for key in ("ok", "kind", "error", "text", "line") if key in built
    }
    if built.get("ok") is not True:
        return
    weights = tensors(weights_bytes)
    for index, batch in enumerate(job["check"]):
        reference, _ = offered(pipeline, weights, batch)
        header, blobs, _ = asked(worker, batch)
        report["checked"].append(header)
        for place, (tokens, rows) in enumerate(reference):
            arrays[f"want_{index}_{place}"] = rows
            arrays[f"tokens_{index}_{place}"] = np.array(tokens)
        for place, blob in enumerate(blobs[: len(reference)]):
            arrays[f"got_{index}_{place}"] = np.frombuffer(blob[: len(blob) // 4 * 4], np.float32)
        if differ(reference, header, blobs, job["bound"]):
            return
    compared, _ = worker.ask(CALL_LIMIT_S, {"do": "compare"})
    report["mutated"] = str(compared.get("changed", ""))[:80] if isinstance(compared, dict) else ""
    if report["mutated"]:
        return
    began = time.monotonic()
    for number, batch in enumerate(job["timed"]):
        late = time.monotonic() - began > ROUNDS_S
        if clear(report["times"], job["demands"], late):
            break
        # The order changes from round to round, so that a drift of the machine hits both alike.
        if number % 2:
            theirs = asked(worker, batch)
        worker.pause()
        reference, mine_s = offered(pipeline, weights, batch)
        worker.resume()
        if number % 2 == 0:
            theirs = asked(worker, batch)
        header, blobs, theirs_s = theirs
        report["times"].append([*mine_s, *theirs_s])
        if differ(reference, header, blobs, job["bound"]):
            report["changed"] = {"round": number, "answer": header}
            return


def gain(times):
    """The gain that counts, as pipeline_race.py has it: CPU time, at most twice the wall clock's."""
    mine_wall, mine_cpu, wall, cpu = np.median(np.array(times), axis=0)
    return min(mine_cpu / cpu, 2 * mine_wall / wall) if cpu == cpu else mine_wall / wall


def clear(times, demands, late):
    """Whether more rounds would hardly change which demands are met.

    Rounds differ by some per cent in CPU time, by a fifth on a busy machine. `late`: the time for
    rounds is used up, so a smaller margin will do.
    """
    if len(times) < FEWEST_ROUNDS:
        return False
    found, rounds = gain(times), np.array(times)
    cpu = float(np.median(rounds[:, 1]) / np.median(rounds[:, 3]))
    if late and len(times) > FEWEST_ROUNDS:
        return True
    above, below = (1.5, 1.2) if len(times) < 4 else (1.25, 1.15)
    # Below: by CPU time alone, for a spell of load can hold up a few milliseconds of the clock's.
    return all(found >= d * above or (cpu if cpu == cpu else found) <= d / below for d in demands)


def main():
    torch.set_num_threads(1)
    sys.path.pop(0)  # this folder: the worker can write here, and modules are imported later too
    _prctl(PR_SET_CHILD_SUBREAPER, 1)
    worker = Worker()
    # From here on: the worker has no copy of what is read, and may not look into this process.
    _prctl(PR_SET_DUMPABLE, 0)
    with open("job.json") as file:
        job = json.load(file)
    with open("weights.npz", "rb") as file:
        weights_bytes = file.read()
    for name in os.listdir("."):
        if name not in ("stderr", "stdout"):
            os.unlink(name)
    pipeline = {"__name__": "naive_pipeline"}
    exec(compile(job["pipeline"], "naive_pipeline", "exec"), pipeline)
    report = {"built": {}, "checked": [], "times": [], "changed": None, "gone": ""}
    report |= {"key": job["key"], "helpers": False, "mutated": ""}
    arrays = {}
    try:
        race(worker, job, pipeline, weights_bytes, report, arrays)
    except Gone as reason:
        report["gone"] = str(reason)
    report["helpers"] = worker.end()
    arrays["report"] = np.frombuffer(json.dumps(report).encode(), np.uint8)
    with open("made.npz", "wb") as file:
        np.savez(file, **arrays)
    os.replace("made.npz", "result.npz")


if __name__ == "__main__":
    main()
