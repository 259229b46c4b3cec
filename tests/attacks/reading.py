"""Cells that read what is not theirs. `{root}`, `{work}` and `{home}` are told to the attacker."""

from attacks.bank import attack


def reads(h, code: str, **more) -> None:
    """A cell in which ROOT, WORK and HOME are the victims' folders."""
    course = h.course
    paths = f"ROOT, WORK, HOME = {str(course.root)!r}, {str(course.work)!r}, {str(course.home)!r}\n"
    h.first(f"import os, glob\n{paths}{code}\nleave()")


@attack(bare="open")
def reads_other_submissions(h):
    """Opens the reference's answers in the submitted, intake and autograded folders."""
    reads(
        h,
        "for step in ('submitted', 'intake', 'autograded'):\n"
        "    path = f'{WORK}/{step}/a-reference/1.1-attacked/1_quantize.ipynb'\n"
        "    reach(f'the reference, {step}', lambda: open(path).read()[-900:])",
    )


@attack(bare="open")
def reads_the_submission_beside_it(h):
    """Climbs from its working folder to its neighbours', without knowing a path."""
    reads(
        h,
        "reach('the folder above', lambda: open('../../a-reference/1.1-attacked/1_quantize.ipynb').read())\n"
        "def neighbours():\n"
        "    found = [p for p in glob.glob('../../*/*/*.ipynb') if 'beside-it' not in p]\n"
        "    if not found: raise FileNotFoundError(2, 'no neighbour')\n"
        "    return found\n"
        "reach('a list of neighbours', neighbours)",
    )


@attack(bare="open")
def reads_the_gradebook(h):
    """Opens the gradebook with sqlite3 and as a file."""
    reads(
        h,
        "import sqlite3\n"
        "reach('bytes', lambda: open(f'{WORK}/gradebook.db', 'rb').read(16))\n"
        "def names():\n"
        "    if not os.path.exists(f'{WORK}/gradebook.db'): raise FileNotFoundError(2, 'none')\n"
        "    book = sqlite3.connect(f'file:{WORK}/gradebook.db?mode=ro', uri=True)\n"
        "    return book.execute('select id from student').fetchall()\n"
        "reach('students', names)",
    )


@attack(bare="open")
def reads_the_secret_file(h):
    """Reads the secret from which the cases of all submissions derive."""
    reads(h, "reach('the secret', lambda: open(f'{WORK}/secret').read())")


@attack(bare="open")
def reads_secrets_from_the_environment(h):
    """Looks for the secret and for credentials in its own and its parents' environment."""
    reads(
        h,
        "reach('COURSE_SECRET', lambda: os.environ['COURSE_SECRET'])\n"
        "reach('other secrets', lambda: os.environ['AWS_SECRET_ACCESS_KEY'])\n"
        "for pid in (os.getppid(), 1):\n"
        "    reach(f'a parent', lambda: open(f'/proc/{pid}/environ').read()[:200])",
    )


@attack(bare="open")
def reads_the_sources_of_the_course(h):
    """Lists and reads the solutions, the staged sources and the configuration."""
    reads(
        h,
        "for name in ('solutions/1.1-attacked/1_quantize.py', 'nbgrader_config.py', 'modules',\n"
        "             'autograder/work/source/1.1-attacked/1_quantize.ipynb'):\n"
        "    path = f'{ROOT}/{name}'\n"
        "    reach(name, lambda: os.listdir(path) if os.path.isdir(path) else open(path).read()[:900])",
    )


@attack(bare="open")
def reads_checks_and_oracles_as_files(h):
    """Reads the text of checks and oracles beside the modules that it may import."""
    reads(
        h,
        "import autograder.checks\n"
        "folder = autograder.checks.__path__[0]\n"
        "for name in ('m1_1/sqnr.py', 'oracles/affine.py', '../grading/secret.py',\n"
        "             '__pycache__/../m1_1/symmetric_quantize.py'):\n"
        "    reach(name, lambda: open(f'{folder}/{name}').read()[:99])\n"
        "def compiled():\n"
        "    found = glob.glob(f'{folder}/m1_1/**/*.pyc', recursive=True)\n"
        "    if not found: raise FileNotFoundError(2, 'none')\n"
        "    return found\n"
        "reach('compiled checks', compiled)",
    )


@attack(bare="open")
def reads_the_home_folder(h):
    """Reads passwords and keys in the home folder of the one who grades."""
    reads(
        h,
        "import pwd\n"
        "reach('.netrc', lambda: open(f'{HOME}/.netrc').read())\n"
        "reach('the real home', lambda: open(pwd.getpwuid(0).pw_dir + '/.bash_history').read(0))\n"
        "reach('/etc/shadow', lambda: open('/etc/shadow').read()[:9])",
    )


@attack(bare="open")
def reads_through_a_link(h):
    """Makes links, hard and soft, to the secret in its own folder and opens those."""
    reads(
        h,
        "def soft():\n"
        "    os.symlink(f'{WORK}/secret', 'soft')\n"
        "    try: return open('soft').read()\n"
        "    finally: os.remove('soft')\n"
        "reach('a link', soft)\n"
        "def hard():\n"
        "    os.link(f'{WORK}/secret', 'hard')\n"
        "    try: return open('hard').read()\n"
        "    finally: os.remove('hard')\n"
        "reach('a hard link', hard)",
    )


@attack(bare="open")
def reads_descriptors_left_open(h):
    """Looks for files and sockets of the grader's among the descriptors that it inherited."""
    reads(
        h,
        "def inherited():\n"
        "    found = []\n"
        "    for pid in (os.getpid(), os.getppid()):\n"
        "        for name in os.listdir(f'/proc/{pid}/fd'):\n"
        "            try: target = os.readlink(f'/proc/{pid}/fd/{name}')\n"
        "            except OSError: continue\n"
        "            if any(w in target for w in ('gradebook', 'secret', 'submitted', 'intake')):\n"
        "                found.append(target)\n"
        "            if pid != os.getpid(): found.append(target)\n"
        "    if not found: raise FileNotFoundError(2, 'no file of others')\n"
        "    return found\n"
        "reach('descriptors', inherited)",
    )


@attack(bare="open")
def reads_the_grader_s_memory(h):
    """Opens the memory of its parent and reads it with process_vm_readv and ptrace."""
    reads(
        h,
        "import ctypes\n"
        "reach('memory as a file', lambda: open(f'/proc/{os.getppid()}/mem', 'rb').read(0))\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "def attach():\n"
        "    if libc.ptrace(16, os.getppid(), 0, 0): \n"
        "        number = ctypes.get_errno()\n"
        "        raise OSError(number, os.strerror(number))\n"
        "    return libc.ptrace(17, os.getppid(), 0, 0)\n"
        "if not os.access('/work', os.F_OK) and os.getuid(): reach('ptrace', attach)",
    )


@attack(bare="open")
def lists_the_processes(h):
    """Lists the machine's processes and their command lines."""
    reads(
        h,
        "def others():\n"
        "    found = []\n"
        "    for name in filter(str.isdigit, os.listdir('/proc')):\n"
        "        words = open(f'/proc/{name}/cmdline').read()\n"
        "        if 'nbgrader' in words: found.append(name)\n"
        "    if not found: raise ProcessLookupError(3, 'only its own')\n"
        "    return found\n"
        "reach('the grader in the list', others)",
    )


@attack(bare="open")
def reads_other_kernels_folders(h):
    """Looks for connection files, with their keys, of kernels that run beside it."""
    reads(
        h,
        "import jupyter_core.paths as paths\n"
        "own = os.environ.get('TMPDIR', '/tmp').rpartition('/')[0]\n"
        "def search():\n"
        "    found = glob.glob('/tmp/*/*/connection.json') + glob.glob('/tmp/**/kernel-*.json')\n"
        "    found += glob.glob(f'{HOME}/.local/share/jupyter/runtime/*')\n"
        "    found += glob.glob(f'{own}/../*/connection.json') + glob.glob('/dev/shm/*')\n"
        "    found += glob.glob(paths.jupyter_runtime_dir() + '/*')\n"
        "    found = [f for f in found if os.path.realpath(f) not in (os.path.realpath(own + '/connection.json'),)]\n"
        "    if not found: raise FileNotFoundError(2, 'no other kernel')\n"
        "    return found\n"
        "reach('other connection files', search)",
    )
