"""Cells that prepare their own working folder for the programs that read it after them.

What grades has more rights than the kernel: a link or a pipe in place of a file that it opens makes it
act for the attacker.
"""

from attacks.bank import attack
from attacks.reading import reads

NEVER = "the grader itself would overwrite the file or hang"


@attack(never=NEVER)
def link_in_place_of_its_notebook(h):
    """Replaces its notebook by a link to the gradebook, which the grader then writes through."""
    reads(
        h,
        "def swap(name, target):\n"
        "    if os.path.lexists(name): os.remove(name)\n"
        "    os.symlink(target, name)\n"
        "tamper('own notebook', lambda: swap('1_quantize.ipynb', f'{WORK}/gradebook.db'))\n"
        "tamper('next notebook', lambda: swap('2_symmetric.ipynb',\n"
        "       f'{WORK}/autograded/a-reference/1.1-attacked/1_quantize.ipynb'))",
    )


@attack(never=NEVER)
def pipe_in_place_of_its_notebook(h):
    """Replaces its notebooks by named pipes, on which the grader would wait for ever."""
    reads(
        h,
        "def swap(name):\n"
        "    if os.path.lexists(name): os.remove(name)\n"
        "    os.mkfifo(name)\n"
        "for name in ('1_quantize.ipynb', '2_symmetric.ipynb', 'data.csv', 'timestamp.txt'):\n"
        "    tamper(name, lambda: swap(name))",
    )


@attack(never=NEVER)
def link_for_the_feedback(h):
    """Leaves links to the secret and to a neighbour, which feedback would copy and hand back."""
    reads(
        h,
        "tamper('secret', lambda: os.symlink(f'{WORK}/secret', 'notes.txt'))\n"
        "tamper('neighbour', lambda: os.symlink(\n"
        "    f'{WORK}/autograded/a-reference/1.1-attacked/1_quantize.ipynb', 'picture.png'))\n"
        "tamper('home', lambda: os.symlink(HOME, 'more'))",
    )


@attack(never=NEVER)
def link_for_permissions(h):
    """Leaves links to code and configuration, on which the grader sets permissions."""
    reads(
        h,
        "for number, path in enumerate((f'{ROOT}/nbgrader_config.py', f'{HOME}/.netrc', WORK)):\n"
        "    tamper(path[-9:], lambda: os.symlink(path, f'file{number}.txt'))",
    )


@attack(never=NEVER)
def rewrites_the_next_notebook(h):
    """The first notebook's kernel rewrites the second, with its points, and back again."""
    forged = (
        "import json\n"
        "def forge(name):\n"
        "    notebook = json.load(open(name))\n"
        "    for cell in notebook['cells']:\n"
        "        marks = cell['metadata'].get('nbgrader', {})\n"
        "        if marks.get('grade'):\n"
        "            marks.update(points=100, grade_id=marks['grade_id'].replace('check-', 'x-'))\n"
        "            cell['source'] = '100.0'\n"
        "    os.remove(name)\n"
        "    json.dump(notebook, open(name, 'w'))\n"
        "for name in ('1_quantize.ipynb', '2_symmetric.ipynb'): reach(name, lambda: forge(name))"
    )
    reads(h, forged)
    h.first(f"import os\n{forged}", "2_symmetric")


@attack(never=NEVER)
def folders_in_place_of_files(h):
    """Puts folders where notebooks and their pictures are to be written."""
    reads(
        h,
        "def swap(name):\n"
        "    if os.path.lexists(name): os.remove(name)\n"
        "    os.makedirs(f'{name}/inside')\n"
        "for name in ('1_quantize.ipynb', '2_symmetric.ipynb', '1_quantize_files'): tamper(name, lambda: swap(name))",
    )


@attack(never=NEVER)
def folder_that_nobody_may_enter(h):
    """Takes all rights from its folder and its files."""
    reads(
        h,
        "os.makedirs('locked/inner', exist_ok=True)\n"
        "open('locked/inner/file', 'w').write('x')\n"
        "tamper('inner', lambda: os.chmod('locked', 0))\n"
        "tamper('files', lambda: [os.chmod(n, 0) for n in os.listdir('.')])\n"
        "tamper('own', lambda: os.chmod('.', 0o300))",
    )


@attack(never=NEVER)
def folders_too_deep_to_remove(h):
    """Nests folders until their path is longer than any program takes."""
    reads(
        h,
        "def dig():\n"
        "    here = os.getcwd()\n"
        "    for _ in range(1500):\n"
        "        os.mkdir('d')\n"
        "        os.chdir('d')\n"
        "    os.chdir(here)\n"
        "tamper('1,500 folders', dig)",
    )


@attack(never=NEVER)
def names_that_are_commands(h):
    """Makes files whose names are options, markup, escapes and no text at all."""
    reads(
        h,
        "names = [b'--force', b'-rf', b'$(touch pwned)', b'\\x1b[2J', b'\\xff\\xfe', b'a' * 250,\n"
        "         b'<script>x</script>', b'[red]x', b'new\\nline', b';rm', b'nbgrader_config.py']\n"
        "for name in names: tamper(repr(name)[:30], lambda: open(name, 'w').write('x'))",
    )


@attack(never="it would end the next run")
def timestamp_for_the_next_run(h):
    """Writes a timestamp.txt that is no date where the next run looks for the last one's."""
    reads(h, "tamper('timestamp', lambda: open('timestamp.txt', 'w').write('never'))")
