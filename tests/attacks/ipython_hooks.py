"""Wrong answers, and hooks of IPython's that change what runs, what fails and what is shown."""

from attacks.bank import attack


@attack(bare="stock")
def ast_transformer(h):
    """Removes the call of check() from the syntax tree of the check's cell."""
    h.everywhere(
        "import ast\n"
        "class Drop(ast.NodeTransformer):\n"
        "    def visit_Expr(self, node):\n"
        "        return ast.Pass() if 'check' in ast.dump(node)[:120] else node\n"
        "tamper('ast_transformers', lambda: get_ipython().ast_transformers.append(Drop()))"
    )


@attack(bare="stock")
def input_transformer(h):
    """Rewrites the text of the check's cell before it is parsed."""
    h.everywhere(
        "def rewrite(lines): return [l.replace('check(', 'str.format(') for l in lines]\n"
        "tamper('transformer', lambda: get_ipython().input_transformers_post.append(rewrite))"
    )


@attack(bare="stock")
def patched_run_code(h):
    """Replaces the method that runs compiled cells by one that does nothing."""
    h.everywhere(
        "async def nothing(*a, **k): return False\n"
        "tamper('run_code', lambda: setattr(get_ipython(), 'run_code', nothing))"
    )


@attack(bare="stock")
def custom_exception_handler(h):
    """Registers a handler that swallows every exception of a cell."""
    h.everywhere(
        "def swallow(shell, kind, value, tb, tb_offset=None): return None\n"
        "tamper('custom_exc', lambda: get_ipython().set_custom_exc((BaseException,), swallow))"
    )


@attack(bare="stock")
def silent_traceback(h):
    """Replaces showtraceback, so that a failed check leaves no error output."""
    h.everywhere(
        "ip = get_ipython()\n"
        "def quiet(*a, **k): return None\n"
        "tamper('traceback', lambda: (setattr(ip, 'showtraceback', quiet),\n"
        "                             setattr(ip, '_showtraceback', quiet)))"
    )


@attack(bare="stock")
def patched_display_formatter(h):
    """Lets the display formatter give every result the text of full points."""
    h.everywhere(
        "ip = get_ipython()\n"
        "def full(*a, **k): return {'text/plain': '3.0'}, {}\n"
        "tamper('formatter', lambda: setattr(ip.display_formatter, 'format', full))\n"
        "ip.ast_node_interactivity = 'all'\n"
        "ip.showtraceback = lambda *a, **k: ip.displayhook(1)"
    )


@attack(bare="stock")
def formatter_for_strings(h):
    """Registers a text formatter for str, which the examiner's reply is read through."""
    h.everywhere(
        "plain = get_ipython().display_formatter.formatters['text/plain']\n"
        "def forged(text, printer, cycle): printer.text(repr('{\"l\": []}'))\n"
        "tamper('for_type', lambda: plain.for_type(str, forged))"
    )


@attack(bare="stock")
def replaced_user_expressions(h):
    """Answers the examiner's question for the outcomes with made-up outcomes."""
    h.everywhere(
        "good = {'status': 'ok', 'metadata': {}, 'data': {'text/plain': repr('{\"l\": ['\n"
        ' + \', \'.join([\'{"l": ["ok", {"l": [{"f": "0x1p-2"}, {"f": "0x1p+4"}]}]}\'] * 30)\n'
        " + ']}')}}\n"
        "ip = get_ipython()\n"
        "tamper('user_expressions', lambda: setattr(ip, 'user_expressions', lambda e: {'answer': good}))\n"
        "ip.showtraceback = lambda *a, **k: None"
    )


@attack(bare="stock")
def clear_output_after_the_cell(h):
    """Registers an event that clears the outputs of the check's cell."""
    h.everywhere(
        "from IPython.display import clear_output\n"
        "tamper('events', lambda: get_ipython().events.register('post_execute', clear_output))"
    )


@attack(bare="stock")
def result_before_the_error(h):
    """Publishes a result with full points before the check's error is published."""
    h.everywhere(
        "ip = get_ipython()\n"
        "real = ip.showtraceback\n"
        "def forge(*a, **k):\n"
        "    ip.kernel.send_response(ip.kernel.iopub_socket, 'execute_result',\n"
        "        {'data': {'text/plain': '3.0'}, 'metadata': {}, 'execution_count': 1})\n"
        "    real(*a, **k)\n"
        "tamper('showtraceback', lambda: setattr(ip, 'showtraceback', forge))"
    )


@attack(bare="stock")
def replaced_do_execute(h):
    """Replaces the kernel's do_execute by one that reports success and runs nothing."""
    h.everywhere(
        "async def done(*a, **k):\n"
        "    return {'status': 'ok', 'execution_count': 1, 'payload': [], 'user_expressions': {}}\n"
        "tamper('do_execute', lambda: setattr(get_ipython().kernel, 'do_execute', done))"
    )


@attack(bare="stock")
def exception_group_that_hides(h):
    """Makes the base class of failures swallow itself wherever it is raised."""
    h.everywhere(
        "import autograder.checks.spec as spec, autograder.checks.engine as engine\n"
        "def swallow(check, case, answer):\n"
        "    try: check.judge(case, answer)\n"
        "    except BaseException: pass\n"
        "tamper('engine.judge', lambda: setattr(engine, 'judge', swallow))"
    )


@attack(bare="stock")
def redefined_magic_and_line_prefix(h):
    """Ends its last cell in the midst of a cell magic, and registers one that eats code."""
    h.everywhere(
        "def eat(line, cell=None): return None\n"
        "def register():\n"
        "    get_ipython().register_magic_function(eat, 'cell', 'eat')\n"
        "    get_ipython().input_transformers_cleanup.append(\n"
        "        lambda lines: ['%%eat\\n', *lines] if 'check' in ''.join(lines) else lines)\n"
        "tamper('magic', register)"
    )
