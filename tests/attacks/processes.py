"""Cells that end, stop, kill and outlive: signals, exits, threads and processes left behind."""

from attacks.bank import attack

KILLS = "it would send signals to other processes of the machine"


@attack(bare="stock")
def os_exit(h):
    """Ends the kernel from an answer, with the status of success."""
    h.answer("sqnr", "import os\ndef sqnr(x, x_hat):\n    os._exit(0)")


@attack(bare="stock")
def exit_while_the_cell_runs(h):
    """Ends the kernel in a cell of its own, before the first check."""
    h.first("import os\nos._exit(0)")


@attack(answers="right", never="the run without the revival is that of os-exit")
def dies_again_when_its_cells_are_repeated(h):
    """Ends the kernel once, and again whenever its cells are run a second time."""
    h.first(
        "import os\n"
        "again = os.path.exists('been')\n"
        "open('been', 'w').close()\n"
        "if again: os._exit(0)"
    )
    h.last("import os\nos._exit(0)")


@attack(never=KILLS)
def kills_the_grader(h):
    """Sends signals to its parent, to the first process, to every process."""
    h.first(
        "import os, signal\n"
        "for pid in (os.getppid(), 1):\n"
        "    for number in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM):\n"
        "        reach(f'signal {number} to a parent', lambda: os.kill(pid, number))\n"
        "def group():\n"
        "    own = {1, os.getpid()}\n"
        "    found = [p for p in map(int, filter(str.isdigit, os.listdir('/proc'))) if p not in own]\n"
        "    if not found: raise ProcessLookupError(3, 'nobody')\n"
        "    return found\n"
        "reach('any other process', group)"
    )


@attack(never=KILLS)
def kills_every_process(h):
    """Sends SIGKILL to all processes that it may signal, itself among them."""
    h.first("import os\nreach('every process', lambda: os.kill(-1, 9))\nos.kill(os.getpid(), 9)")


@attack(bare="stock")
def stops_itself(h):
    """Stops its own process, so that it neither works nor ends."""
    h.answer(
        "sqnr",
        "import os, signal\ndef sqnr(x, x_hat):\n    os.kill(os.getpid(), signal.SIGSTOP)\n    return 0.5, 0.5",
    )


@attack(never="it would stay on the machine that the bank runs on")
def process_left_behind(h):
    """Leaves a process in a session of its own, forked twice so that nobody knows its parent."""
    h.first(
        "import os\n"
        "def leave():\n"
        "    if os.fork() == 0:\n"
        "        os.setsid()\n"
        "        if os.fork() == 0:\n"
        "            os.closerange(0, 200)\n"
        "            os.execvp('sleep', ['sleep', '76543.11'])\n"
        "        os._exit(0)\n"
        "tamper('double fork', leave)\n"
        "import time; time.sleep(0.4)"
    )


@attack(never="it would stay on the machine that the bank runs on")
def fifty_processes_left_behind(h):
    """Leaves processes that ignore every signal that can be ignored."""
    h.first(
        "import subprocess, sys\n"
        "code = 'import signal, time\\n' + (\n"
        "    'for n in range(1, 32):\\n try: signal.signal(n, signal.SIG_IGN)\\n except OSError: pass\\n')\n"
        "def leave():\n"
        "    for n in range(20):\n"
        "        subprocess.Popen([sys.executable, '-S', '-c', code + 'time.sleep(600)', '76543.12'],\n"
        "                         start_new_session=True)\n"
        "tamper('processes', leave)\n"
        "import time; time.sleep(0.4)"
    )


@attack(bare="stock")
def threads_left_behind(h):
    """Leaves threads that change numpy while the checks run."""
    h.everywhere(
        "import threading, time\n"
        "def poison():\n"
        "    while True:\n"
        "        np.atleast_1d = lambda v: np.zeros(1, bool)\n"
        "        math.isnan = lambda v: True\n"
        "        time.sleep(0.005)\n"
        "tamper('threads', lambda: [threading.Thread(target=poison, daemon=False).start() for _ in range(4)])\n"
        "time.sleep(0.05)"
    )


@attack(bare="stock")
def segmentation_fault(h):
    """Reads from address zero in an answer."""
    h.answer("sqnr", "import ctypes\ndef sqnr(x, x_hat):\n    return ctypes.string_at(0)")


@attack(never="the same as segmentation-fault")
def stack_overflow_in_c(h):
    """Recurses in the interpreter without the interpreter's own limit."""
    h.answer(
        "sqnr",
        "import sys\n"
        "def sqnr(x, x_hat):\n"
        "    sys.setrecursionlimit(10**9)\n"
        "    class Deep:\n"
        "        def __repr__(self): return repr(self)\n"
        "    return repr(Deep())",
    )


@attack(never="stock nbgrader kills the kernel as well")
def never_shuts_down(h):
    """Registers exit handlers, destructors and signal handlers that never return."""
    h.first(
        "import atexit, signal, time, threading\n"
        "def stay():\n"
        "    atexit.register(time.sleep, 10**6)\n"
        "    for n in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(n, signal.SIG_IGN)\n"
        "    threading.Thread(target=time.sleep, args=(10**6,), daemon=False).start()\n"
        "tamper('handlers', stay)\n"
        "class Slow:\n"
        "    def __del__(self): time.sleep(10**6)\n"
        "slow = Slow()"
    )
