"""Cells that write where others read: the gradebook, neighbours, code, configuration, start-up files."""

from attacks.bank import attack
from attacks.reading import reads

NEVER = "it would write to the machine that the bank runs on"


@attack(never=NEVER)
def writes_points_into_the_gradebook(h):
    """Adds extra credit to its own row with sqlite3."""
    reads(
        h,
        "import sqlite3\n"
        "def credit():\n"
        "    book = sqlite3.connect(f'{WORK}/gradebook.db')\n"
        "    book.execute('update grade set extra_credit = 100')\n"
        "    book.commit()\n"
        "reach('extra credit', credit)\n"
        "reach('the file', lambda: open(f'{WORK}/gradebook.db', 'r+b').write(b''))",
    )


@attack(never=NEVER)
def writes_the_gradebook_from_a_daemon(h):
    """Leaves a process that waits for the end of the grading and then writes the gradebook."""
    reads(
        h,
        "import subprocess, sys\n"
        "code = ('import sqlite3, time\\n'\n"
        "        'time.sleep(1.5)\\n'\n"
        "        f'book = sqlite3.connect({WORK + \"/gradebook.db\"!r})\\n'\n"
        "        'book.execute(\"update grade set extra_credit = 100\")\\n'\n"
        "        'book.commit()\\n')\n"
        "tamper('daemon', lambda: subprocess.Popen([sys.executable, '-c', code, '76543.31'],\n"
        "       start_new_session=True))\n"
        "reach('the gradebook', lambda: os.stat(f'{WORK}/gradebook.db'))",
    )


@attack(never=NEVER)
def zeroes_a_neighbour(h):
    """Empties the reference's notebooks in every folder of the grading."""
    reads(
        h,
        "for step in ('submitted', 'intake', 'autograded'):\n"
        "    for name in ('a-reference', 'zz-reference'):\n"
        "        path = f'{WORK}/{step}/{name}/1.1-attacked/1_quantize.ipynb'\n"
        "        reach(f'{name}, {step}', lambda: open(path, 'w').write('{}'))\n"
        "reach('removal', lambda: os.remove('../../a-reference/1.1-attacked/1_quantize.ipynb'))",
    )


@attack(never=NEVER)
def patches_the_installed_packages(h):
    """Appends a line to numpy, to the course's code, and to what Python runs at its start."""
    reads(
        h,
        "import numpy, site, lab, autograder, sysconfig\n"
        "for path in (numpy.__file__, lab.__file__, autograder.__file__,\n"
        "             sysconfig.get_paths()['purelib'] + '/sitecustomize.py',\n"
        "             sysconfig.get_paths()['purelib'] + '/planted.pth', math.__dict__.get('__file__', '/usr/x')):\n"
        "    reach(path.rpartition('/')[2], lambda: open(path, 'a').write('\\n# planted\\n'))",
    )


@attack(never=NEVER)
def line_in_nbgrader_config(h):
    """Appends a line to the instructor's nbgrader_config.py and plants one in the folders above."""
    reads(
        h,
        "for path in (f'{ROOT}/nbgrader_config.py', f'{WORK}/nbgrader_config.py',\n"
        "             '../../../nbgrader_config.py', f'{HOME}/.jupyter/nbgrader_config.py'):\n"
        "    reach(path[-40:], lambda: open(path, 'a').write('\\n# planted\\n'))\n"
        "tamper('its own', lambda: open('nbgrader_config.py', 'w').write('raise SystemExit'))",
    )


@attack(never=NEVER)
def startup_file_in_home(h):
    """Plants an IPython start-up file, a sitecustomize and a shell profile in the home folder."""
    reads(
        h,
        "places = ('.ipython/profile_default/startup/00.py', '.bashrc',\n"
        "          '.local/lib/python3.11/site-packages/sitecustomize.py')\n"
        "def plant(path):\n"
        "    os.makedirs(os.path.dirname(path), exist_ok=True)\n"
        "    open(path, 'w').write('raise SystemExit')\n"
        "for place in places:\n"
        "    reach(place, lambda: plant(f'{HOME}/{place}'))\n"
        "    tamper('its own ' + place, lambda: plant(os.path.expanduser(f'~/{place}')))",
    )


@attack(never=NEVER)
def mounts_and_namespaces(h):
    """Tries to undo the view: mounts, new namespaces, chroot, pivot_root, setns, keys."""
    reads(
        h,
        "import ctypes\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "def call(name, *args):\n"
        "    def act():\n"
        "        if getattr(libc, name)(*args):\n"
        "            number = ctypes.get_errno()\n"
        "            raise OSError(number, os.strerror(number))\n"
        "        return 'went through'\n"
        "    reach(name, act)\n"
        "call('mount', b'none', b'/tmp', b'tmpfs', 0, b'')\n"
        "call('umount2', b'/tmp', 2)\n"
        "call('unshare', 0x10000000)\n"
        "call('unshare', 0x00020000)\n"
        "call('chroot', b'/tmp')\n"
        "call('setns', 0, 0)\n"
        "call('syscall', 155, b'/', b'/')\n"
        "call('syscall', 425, 8, 0)",
    )


@attack(never=NEVER)
def privileged_user(h):
    """Tries to become root again, with setuid, with sudo and su, and with capabilities."""
    reads(
        h,
        "import subprocess\n"
        "reach('setuid', lambda: os.setuid(0) or (1 / (os.getuid() == 0)))\n"
        "reach('setresuid', lambda: os.setresuid(0, 0, 0))\n"
        "reach('chown', lambda: os.chown('/usr/bin', os.getuid(), -1))\n"
        "reach('a device', lambda: os.mknod('disk', 0o60600, os.makedev(8, 0)))\n"
        "reach('the score of the OOM killer', lambda: open('/proc/self/oom_score_adj', 'w').write('-999'))\n"
        "reach('a raw disk', lambda: open('/dev/sda', 'rb').read(1))\n"
        "reach('sysctl', lambda: open('/proc/sys/kernel/core_pattern', 'w').write('|/tmp/x'))",
    )
