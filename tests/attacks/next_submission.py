"""Submissions that prepare the kernel of the next one. Each planter is followed by one that looks."""

from attacks.bank import attack

FORKED = "its effect would be on the next submission; kernels of stock nbgrader are apart as well"
PLANT = "import builtins, os, random, sys, tempfile\nimport numpy.random, matplotlib, lab\n"


@attack(never=FORKED)
def poison_1_modules(h):
    """Changes numpy, builtins and the course's modules for the kernel that is forked next."""
    h.everywhere(
        PLANT + "def poison():\n"
        "    for module in (np, builtins, lab, math, random, sys):\n"
        "        module.planted = 'PLANTED-words'\n"
        "    np.abs = np.rint = lambda *a, **k: 0 * a[0]\n"
        "    np.random.seed(0)\n"
        "tamper('modules', poison)"
    )


@attack(never=FORKED)
def poison_2_modules_looked_for(h):
    """Looks for what the submission before it planted in modules."""
    h.everywhere(
        PLANT + "for m in (np, builtins, lab, sys): reach(m.__name__, lambda: vars(m)['planted'])"
    )


@attack(never=FORKED)
def poison_3_memory(h):
    """Writes through ctypes into small integers and strings that forks share."""
    h.first(
        "import ctypes, sys\n"
        "def poison():\n"
        "    address = id(257 - 2) + 24\n"
        "    before = ctypes.c_uint32.from_address(address).value\n"
        "    ctypes.c_uint32.from_address(address).value = 7\n"
        "    seen = 250 + 5 == 255\n"
        "    ctypes.c_uint32.from_address(address).value = before\n"
        "    return seen\n"
        "tamper('an integer', poison)\n"
        "ctypes.memmove(id('planted-marker') + 48, b'PLANTED-words', 13)"
    )


@attack(never=FORKED)
def poison_4_files(h):
    """Leaves files where a later kernel reads: caches, temporary folders, bytecode, start-up files."""
    h.first(
        PLANT + "places = (tempfile.gettempdir(), '/tmp', '/dev/shm', matplotlib.get_cachedir(),\n"
        "          os.path.expanduser('~'), os.getcwd())\n"
        "for place in places: tamper(place[-8:], lambda: open(f'{place}/planted', 'w').write('PLANTED-words'))\n"
        "for module in (np, lab, matplotlib):\n"
        "    folder = os.path.dirname(module.__file__)\n"
        "    reach('bytecode', lambda: open(f'{folder}/__pycache__/planted.pyc', 'wb').write(b'x'))"
    )


@attack(never=FORKED)
def poison_5_files_looked_for(h):
    """Looks for files that the submission before it left."""
    h.first(
        PLANT + "places = (tempfile.gettempdir(), '/tmp', '/dev/shm', matplotlib.get_cachedir(),\n"
        "          os.path.expanduser('~'), os.getcwd())\n"
        "for place in places: reach(place[-8:], lambda: open(f'{place}/planted').read())"
    )


@attack(never=FORKED)
def poison_6_random_numbers(h):
    """Draws random numbers to foresee those of the next kernel."""
    h.first(
        PLANT + "import torch\n"
        "draws = (random.random(), np.random.rand(), torch.rand(1).item())\n"
        "tamper('draws', lambda: len(set(draws)) == 3 and open('draws.txt', 'w').write(repr(draws)))"
    )


@attack(never="it would take the machine's shared memory")
def shared_memory_and_queues(h):
    """Leaves System V segments, POSIX semaphores and files in /dev/shm."""
    h.first(
        "import ctypes, os\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "tamper('segments', lambda: [libc.shmget(0, 4096, 0o1666) for _ in range(50)])\n"
        "tamper('shm', lambda: open('/dev/shm/planted', 'wb').write(bytes(2**20)))\n"
        "tamper('tmp', lambda: open('/tmp/planted', 'wb').write(bytes(2**20)))"
    )
    h.last(
        "import os\n"
        "def planted():\n"
        "    if not os.path.exists('/dev/shm/planted'): raise FileNotFoundError(2, 'none')\n"
        "reach('what the first notebook planted', planted)",
        "2_symmetric",
    )
