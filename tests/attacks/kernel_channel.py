"""Cells that speak the kernel's protocol themselves: forged, malformed, endless and missing messages."""

from attacks.bank import attack

ALONE = "a message without form ends stock nbgrader's run, not its points"
# Own messages on the kernel's own sockets; PARENT is whatever request is being answered.
SEND = (
    "ip = get_ipython()\n"
    "kernel = ip.kernel\n"
    "def publish(kind, content, **more):\n"
    "    kernel.session.send(kernel.iopub_socket, kind, content,\n"
    "        parent=kernel.get_parent(), ident=kind.encode(), **more)\n"
)


@attack(bare="stock")
def forged_result_on_iopub(h):
    """Sends an execute_result of full points while the check's cell runs."""
    h.everywhere(
        SEND + "def forge(*a):\n"
        "    publish('execute_result', {'data': {'text/plain': '3.0'}, 'metadata': {},\n"
        "                               'execution_count': 1})\n"
        "tamper('pre_run_cell', lambda: ip.events.register('pre_execute', forge))"
    )


@attack(bare="stock")
def raw_frames_with_the_connection_s_key(h):
    """Reads the connection file and signs raw frames with its key."""
    h.everywhere(
        SEND + "import hashlib, hmac, json, os\n"
        "def forge(*a):\n"
        "    key = kernel.session.key\n"
        "    head = {'msg_id': 'f', 'session': kernel.session.session, 'username': 'x',\n"
        "            'date': '2026-01-01T00:00:00Z', 'msg_type': 'execute_result', 'version': '5.3'}\n"
        "    body = {'data': {'text/plain': '3.0'}, 'metadata': {}, 'execution_count': 1}\n"
        "    parent = {k: str(v) for k, v in kernel.get_parent()['header'].items()}\n"
        "    parts = [json.dumps(p).encode() for p in (head, parent, {}, body)]\n"
        "    sign = hmac.new(key, b''.join(parts), hashlib.sha256).hexdigest().encode()\n"
        "    kernel.iopub_socket.send_multipart([b'f', b'<IDS|MSG>', sign, *parts])\n"
        "from ipykernel.connect import get_connection_file\n"
        "tamper('key', lambda: len(json.load(open(get_connection_file()))['key']))\n"
        "tamper('frames', lambda: ip.events.register('pre_execute', forge))"
    )


@attack(bare="stock")
def forged_display_message(h):
    """Shows reports of full points, with the course's own metadata, as display messages."""
    h.everywhere(
        "from IPython.display import display, HTML\n"
        "report = {'points': 4.0, 'max_points': 4.0, 'exercise': 'sqnr', 'misconception': None}\n"
        "def show():\n"
        "    display({'text/plain': '3.0', 'text/html': '<b>sqnr: 3 of 3 points</b>'}, raw=True,\n"
        "            metadata={'course': report})\n"
        "tamper('display', show)\n"
        "get_ipython().showtraceback = lambda *a, **k: show()"
    )


@attack(never=ALONE)
def update_of_other_cells_outputs(h):
    """Sends update_display_data for every id and index that a check's output could have."""
    h.everywhere(
        SEND + "from IPython.display import display\n"
        "def update():\n"
        "    for n in range(30):\n"
        "        display('x', display_id=f'{n}')\n"
        "        publish('update_display_data', {'data': {'text/plain': '4'}, 'metadata': {},\n"
        "            'transient': {'display_id': f'{n}'}})\n"
        "        publish('clear_output', {'wait': False})\n"
        "tamper('update', update)"
    )


@attack(never=ALONE)
def replies_that_are_lists(h):
    """Answers the examiner with replies whose content is a list, a number, nothing."""
    h.everywhere(
        SEND + "real = kernel.session.send\n"
        "def send(stream, kind, content=None, **more):\n"
        "    if kind == 'execute_reply': content = [1, 2]\n"
        "    return real(stream, kind, content, **more)\n"
        "tamper('send', lambda: setattr(kernel.session, 'send', send))"
    )


@attack(never=ALONE)
def replies_of_the_wrong_types(h):
    """Answers with user expressions, data and outcomes that are of no expected type."""
    h.everywhere(
        SEND + "import itertools\n"
        "odd = itertools.cycle([[], 5, {'answer': 3}, {'answer': {'data': []}}, None,\n"
        "    {'answer': {'data': {'text/plain': 7}}}, {'answer': {'data': {'text/plain': '7'}}},\n"
        "    {'answer': {'data': {'text/plain': \"'[[[1'\"}}}])\n"
        "tamper('user_expressions', lambda: setattr(ip, 'user_expressions', lambda e: next(odd)))"
    )


@attack(never=ALONE)
def outputs_of_the_wrong_types(h):
    """Publishes outputs whose parts are of no type that a notebook may hold."""
    h.everywhere(
        SEND + "def forge():\n"
        "    publish('execute_input', {'code': 1, 'execution_count': {'a': [1]}})\n"
        "    publish('stream', {'name': ['x'], 'text': {'a': 1}})\n"
        "    publish('display_data', {'data': {'text/plain': 5, 'text/html': {}, 'x': None},\n"
        "                             'metadata': [1], 'transient': 3})\n"
        "    publish('error', {'ename': 1, 'evalue': None, 'traceback': {'a': 1}})\n"
        "    publish('execute_result', {'data': [], 'metadata': 0, 'execution_count': 'many'})\n"
        "tamper('publish', forge)"
    )


@attack(never=ALONE)
def outputs_without_content(h):
    """Publishes display messages from which the required keys are missing."""
    h.everywhere(
        SEND + "def forge():\n"
        "    for kind in ('stream', 'display_data', 'execute_result', 'error', 'status', 'comm_msg',\n"
        "                 'comm_open', 'clear_output', 'update_display_data'):\n"
        "        publish(kind, {})\n"
        "tamper('publish', forge)"
    )


@attack(never=ALONE)
def result_of_the_wrong_types_alone(h):
    """Publishes one display whose data and metadata are numbers, which no notebook file may hold."""
    h.everywhere(
        SEND + "def forge():\n"
        "    publish('display_data', {'data': {'text/plain': 5, 'text/html': 7.5}, 'metadata': {'x': 1}})\n"
        "    publish('execute_input', {'code': '', 'execution_count': 'many'})\n"
        "tamper('publish', forge)"
    )


@attack(never=ALONE)
def wrong_signatures_and_garbage(h):
    """Sends frames that are unsigned, wrongly signed, and no messages at all."""
    h.everywhere(
        SEND + "def forge():\n"
        "    for frames in ([b''], [b'x'] * 50, [b'f', b'<IDS|MSG>', b'bad', b'{}', b'{}', b'{}', b'{}'],\n"
        "                   [b'<IDS|MSG>'], [b'\\xff' * 1000]):\n"
        "        kernel.iopub_socket.send_multipart(frames)\n"
        "tamper('frames', forge)"
    )


@attack(never=ALONE)
def says_it_is_idle_and_goes_on(h):
    """Reports itself idle, dead and restarting, and answers before it has worked."""
    h.everywhere(
        SEND + "def forge():\n"
        "    for state in ('idle', 'dead', 'restarting', 'starting', 5):\n"
        "        publish('status', {'execution_state': state})\n"
        "tamper('status', forge)\n"
        "import time\n"
        "time.sleep(0.5)"
    )


@attack(never=ALONE)
def asks_for_input(h):
    """Asks the grader for a password and a line of text."""
    h.everywhere(
        "import getpass\n"
        "tamper('input', lambda: input('password? '))\n"
        "tamper('getpass', lambda: getpass.getpass())"
    )


@attack(never=ALONE)
def closes_its_channel(h):
    """Closes every descriptor, so that the kernel lives and says nothing."""
    h.answer(
        "sqnr", "import os\ndef sqnr(x, x_hat):\n    os.closerange(3, 200)\n    return 0.5, 0.5"
    )


@attack(never=ALONE)
def widgets_that_capture_output(h):
    """Opens an output widget whose messages tell the client to capture what comes next."""
    h.everywhere(
        SEND + "def forge():\n"
        "    model = {'_model_module': '@jupyter-widgets/output', '_model_name': 'OutputModel',\n"
        "             'outputs': [], 'msg_id': kernel.get_parent()['header']['msg_id']}\n"
        "    publish('comm_open', {'comm_id': 'c', 'target_name': 'jupyter.widget',\n"
        "        'data': {'state': model, 'buffer_paths': [['a', 0]]}})\n"
        "    publish('comm_msg', {'comm_id': 'c', 'data': {'method': 'update', 'state': model,\n"
        "        'buffer_paths': []}})\n"
        "tamper('comm', forge)"
    )
