"""Cells that take all there is: processes, threads, memory, disk, descriptors, the grader's own memory."""

from attacks.bank import attack

BOMB = "it would exhaust the machine that the bank runs on"


@attack(never=BOMB)
def fork_bomb(h):
    """Forks until no process more can be made, and each child does the same."""
    h.first(
        "import os, time\n"
        "def bomb():\n"
        "    own = os.getpid()\n"
        "    try:\n"
        "        while True: os.fork()\n"
        "    finally:\n"
        "        if os.getpid() != own: time.sleep(600)\n"
        "reach('processes without end', bomb)"
    )


@attack(never=BOMB)
def fork_bomb_in_an_answer(h):
    """Forks without end while a check waits, and tries again when the limit is reached."""
    h.answer(
        "sqnr",
        "import os, time\n"
        "def sqnr(x, x_hat):\n"
        "    while True:\n"
        "        try: os.fork()\n"
        "        except OSError: time.sleep(0.1)",
    )


@attack(never=BOMB)
def thread_bomb(h):
    """Starts threads until no more can be started."""
    h.first(
        "import threading, time\n"
        "def start():\n"
        "    for _ in range(20_000): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "reach('20,000 threads', start)"
    )


@attack(never=BOMB)
def memory_bomb(h):
    """Fills memory page by page in an answer."""
    h.answer(
        "sqnr",
        "def sqnr(x, x_hat):\n    hoard = []\n    while True: hoard.append(np.ones(1_000_000))",
    )


@attack(never=BOMB)
def memory_bomb_in_one_call(h):
    """Asks for more memory than there is, at once."""
    h.first(
        "reach('a thousand GB', lambda: bytes(10**12))\n"
        "reach('ones', lambda: np.ones(10**10).nbytes)"
    )


@attack(never=BOMB)
def memory_of_many_processes(h):
    """Fills memory in many processes, each below any limit of its own."""
    h.answer(
        "sqnr",
        "import os, time\n"
        "def sqnr(x, x_hat):\n"
        "    for _ in range(20):\n"
        "        if os.fork() == 0:\n"
        "            hoard = [np.ones(1_000_000) for _ in range(25)]\n"
        "            time.sleep(60)\n"
        "    time.sleep(60)",
    )


@attack(never=BOMB)
def memory_in_shared_files(h):
    """Fills /dev/shm and /tmp, which are memory of the machine."""
    h.first(
        "def fill(path):\n"
        "    with open(path, 'wb') as out:\n"
        "        for _ in range(5_000): out.write(bytes(2**20))\n"
        "def many(folder):\n"
        "    for n in range(200): fill(f'{folder}/{n}')\n"
        "def chunks(folder):\n"
        "    for n in range(5_000):\n"
        "        with open(f'{folder}/c{n}', 'wb') as out: out.write(bytes(2**20))\n"
        "for folder in ('/dev/shm', '/tmp'): reach(folder, lambda: chunks(folder))"
    )


@attack(never=BOMB)
def disk_filler(h):
    """Writes files of 1 MB without end."""
    h.answer(
        "sqnr",
        "import time\n"
        "def sqnr(x, x_hat):\n"
        "    for n in range(10**9): open(f'{n}.bin', 'wb').write(bytes(2**20))",
    )


@attack(never=BOMB)
def one_file_without_end(h):
    """Writes into one file without end, and makes a sparse one of 100 GB."""
    h.first(
        "def write():\n"
        "    with open('long.bin', 'wb') as out:\n"
        "        while True: out.write(bytes(2**20))\n"
        "import os, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "reach('one file', write)\n"
        "os.remove('long.bin')\n"
        "reach('a sparse file', lambda: open('sparse', 'wb').truncate(10**11))"
    )


@attack(never=BOMB)
def million_small_files(h):
    """Makes empty files until no more names can be made."""
    h.answer(
        "sqnr",
        "def sqnr(x, x_hat):\n    for n in range(10**7): open(f'{n}', 'w').close()",
    )


@attack(never=BOMB)
def all_descriptors(h):
    """Opens files until no more can be opened."""
    h.first(
        "held = []\n"
        "def hold():\n"
        "    while True: held.append(open('/dev/null'))\n"
        "reach('descriptors', hold)\n"
        "held.clear()"
    )


@attack(never=BOMB)
def endless_output(h):
    """Prints lines without end."""
    h.first("while True: print('x' * 200)")


@attack(never=BOMB)
def one_line_of_a_gigabyte(h):
    """Prints one line that does not end, in pieces of 4 MB."""
    h.first("for _ in range(250): print('x' * 2**22, end='')")


@attack(never=BOMB)
def endless_displays(h):
    """Shows pictures and tables without end."""
    h.first(
        "from IPython.display import display\n"
        "while True: display({'text/plain': 'x', 'text/html': '<b>' * 10_000}, raw=True)"
    )


@attack(never=BOMB)
def endless_errors(h):
    """Raises an error whose text and traceback have a hundred million characters."""
    h.first("raise RuntimeError('x' * 10**8)")


@attack(never=BOMB)
def output_of_other_processes(h):
    """Lets a process write to its output without end, past Python's own streams."""
    h.first("import subprocess\nsubprocess.run(['yes', 'x' * 1000], timeout=3)")
