"""A Dask scheduler and worker hosts, as separate processes, for tests.

Where this machine allows it (root, `ip`, `unshare`), each worker host is a network namespace on a
bridge, and does not see the course's folder: an empty file system lies over it. Elsewhere a host
is a process with a folder of its own.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import dask
from distributed import Client

DASK = str(Path(sys.executable).with_name("dask"))


def _do(*words):
    subprocess.run(words, check=True, capture_output=True)


class Hosts:
    """close() ends what was started, the network too."""

    def __init__(self, hidden, work):
        """hidden: a folder that worker hosts do not see; work: for their own files."""
        self.hidden, self.work = hidden, work
        self.processes, self.spaces = {}, []
        number = os.getpid()
        self.name = f"cg{number % 1_000_000}"
        self.net = f"10.{100 + number % 100}.{number // 100 % 250}"
        self.apart = self._bridge()
        self.address, self.protocol = "", "tcp"

    def _bridge(self):
        if os.geteuid() != 0 or not all(map(shutil.which, ("ip", "unshare"))):
            return False
        try:
            _do("ip", "link", "add", self.name, "type", "bridge")
            _do("ip", "addr", "add", f"{self.net}.1/24", "dev", self.name)
            _do("ip", "link", "set", self.name, "up")
        except subprocess.CalledProcessError:
            return False
        return True

    def _space(self):
        """The command's beginning that runs it on a host of its own."""
        number = len(self.spaces) + 2
        space, outer, inner = (f"{self.name}{kind}{number}" for kind in "hoi")
        _do("ip", "netns", "add", space)
        self.spaces.append(space)
        _do("ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", space)
        _do("ip", "link", "set", outer, "master", self.name, "up")
        _do("ip", "-n", space, "addr", "add", f"{self.net}.{number}/24", "dev", inner)
        _do("ip", "-n", space, "link", "set", inner, "up")
        _do("ip", "-n", space, "link", "set", "lo", "up")
        hide = 'mount -t tmpfs none "$1" && shift && exec "$@"'
        return ["ip", "netns", "exec", space, "unshare", "-m", "sh", "-c", hide, "sh", self.hidden]

    def encrypt(self):
        """Make a certificate; all that starts from now on speaks TLS.

        Returns what to set in the environment for it; nothing where `openssl` is missing.
        """
        if not shutil.which("openssl"):
            return {}
        cert, key = self.work / "cert.pem", self.work / "key.pem"
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        names = ["-subj", "/CN=course", "-days", "2", "-keyout", key, "-out", cert]
        _do("openssl", "req", "-x509", *kind, *names)
        prefix = "DASK_DISTRIBUTED__COMM__"
        env = {f"{prefix}TLS__CA_FILE": str(cert), f"{prefix}REQUIRE_ENCRYPTION": "true"}
        for role in ("CLIENT", "SCHEDULER", "WORKER"):
            env[f"{prefix}TLS__{role}__CERT"] = str(cert)
            env[f"{prefix}TLS__{role}__KEY"] = str(key)
        self.protocol = "tls"
        return env

    def _start(self, name, words, env=None):
        log = open(self.work / f"{name}.log", "wb")  # noqa: SIM115
        with log:
            self.processes[name] = subprocess.Popen(
                list(map(str, words)), env={**os.environ, **(env or {})}, stdout=log, stderr=log
            )
        return self.processes[name]

    def scheduler(self):
        """Start it; returns its address."""
        file = self.work / "scheduler.json"
        host = f"{self.net}.1" if self.apart else "127.0.0.1"
        words = ["--host", host, "--port", "0", "--no-dashboard", "--scheduler-file", file]
        words += ["--protocol", self.protocol]
        process = self._start("scheduler", [DASK, "scheduler", *words])
        while not file.exists() or not file.read_text().strip():
            assert process.poll() is None, (self.work / "scheduler.log").read_text()
            time.sleep(0.05)
        with self.client(file) as client:
            self.address = client.scheduler.address
        return self.address

    def worker(self, name, env=None, nanny="--no-nanny"):
        """Start one; returns once it has joined. nanny: "--nanny" for Dask's default."""
        folder = self.work / name
        folder.mkdir()
        words = [nanny, "--nthreads", "1", "--no-dashboard", "--local-directory", folder]
        before = self._space() if self.apart else []
        process = self._start(
            name, [*before, DASK, "worker", self.address, "--name", name, *words], env
        )
        with self.client() as client:
            while name not in {w["name"] for w in self._workers(client).values()}:
                assert process.poll() is None, (self.work / f"{name}.log").read_text()
                time.sleep(0.05)
        return process

    def busy(self, client):
        """The names of the workers that grade a submission now."""
        names = {address: facts["name"] for address, facts in self._workers(client).items()}
        now = client.processing().items()
        return {names.get(w) for w, keys in now if any(str(k).startswith("grade-") for k in keys)}

    def caught_busy(self, name, client):
        """Whether a worker grades a submission; then it is left stopped in the middle of it."""
        if name not in self.busy(client):
            return False
        self.processes[name].send_signal(signal.SIGSTOP)
        # What it sent before it was stopped has arrived by then.
        time.sleep(0.2)
        if name in self.busy(client):
            return True
        self.processes[name].send_signal(signal.SIGCONT)
        return False

    @staticmethod
    def _workers(client):
        return client.scheduler_info(n_workers=-1)["workers"]

    def client(self, file=None):
        where = {"scheduler_file": str(file)} if file else {"address": self.address}
        # Dask reads the environment when it is imported; a test may have set it since.
        with dask.config.set(dask.config.merge(dask.config.config, dask.config.collect_env())):
            return Client(**where, set_as_default=False)

    def close(self):
        for process in self.processes.values():
            process.kill()
            process.wait()
        for space in self.spaces:
            with contextlib.suppress(subprocess.CalledProcessError):
                _do("ip", "netns", "del", space)
        if self.apart:
            _do("ip", "link", "del", self.name)
