"""Feedback and formgrader without a submission's raw HTML, script, styles or remote pictures.

Everything that a learner's notebook can put on a page passes one list of allowed tags, attributes and
style properties; it is wide enough for the course's own reports and text cells, so nothing has to be
believed about where an output came from.
"""

import re
from collections import Counter
from html import escape
from typing import Any

import bleach
from jinja2 import pass_context
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode

from autograder.grading.reading import IMAGES, clean_text, is_base64

MAX_HTML_CHARS = 200_000
MAX_TAGS = 10_000
# The parser's time grows with the square of the depth.
MAX_DEPTH = 100
# Signs of markup in a whole notebook: they bound the time that one submission takes.
MAX_MARKUP = 60_000
TOO_LONG = "<p>This output is too long to be shown here.</p>"
MAX_TEXT_CHARS = 200_000
TAGS = frozenset(
    """a abbr b blockquote br caption code col colgroup dd del details div dl dt em h1 h2 h3 h4 h5 h6 hr
    i img ins kbd li ol p pre q s samp small span strong sub summary sup table tbody td tfoot th thead
    tr tt u ul var""".split()  # noqa: SIM905
)
ROLES = ("status", "img", "note", "table", "presentation")
# Nothing here moves a box over another one, hides it, or loads anything.
STYLES = frozenset(
    """background background-color border border-bottom border-collapse border-color border-left
    border-radius border-right border-top color display font-family font-size font-style font-weight
    line-height list-style-type margin margin-bottom margin-left margin-right margin-top max-width
    min-width opacity padding padding-bottom padding-left padding-right padding-top text-align
    text-decoration vertical-align white-space width""".split()  # noqa: SIM905
)
_VALUE = re.compile(r"[\w\s.,%#'-]*(?:var\(--[\w-]+(?:,[\w\s.,%#'-]*)?\)[\w\s.,%#'-]*)*")
_READABLE = re.compile(r"[12]\dpx|0?\.[6-9]\d*r?em|[12](\.\d+)?r?em|[6-9]\d%|1\d\d%")
# MathJax turns these into links, attributes, styles, or code of its own.
_MATH = re.compile(
    r"\\(?=(?:href|url|class|cssId|style|html\w*|data|require|includegraphics|unicode|toggle|mmlToken"
    r"|action|texttip|mathtip|def|gdef|edef|let|newcommand|renewcommand|newenvironment)\b)"
)
_FORM = {"text/plain", "text/html", "text/markdown", "text/latex", *IMAGES}


_CLOSES_ITSELF = frozenset(["br", "hr", "img", "col", "p", "li", "td", "th", "tr", "dd", "dt"])


class _Css:
    """bleach's interface for a style attribute: known properties with harmless values."""

    def sanitize_css(self, style: str) -> str:
        kept = []
        for declaration in style[:2000].split(";"):
            name, _, value = declaration.partition(":")
            name, value = name.strip().lower(), value.strip()
            if name in STYLES and _VALUE.fullmatch(value) and not _tricky(name, value):
                kept.append(f"{name}:{value}")
        return ";".join(kept)


def _tricky(name: str, value: str) -> bool:
    """Boxes that leave their place, and text too small or too faint to be seen."""
    if name.startswith("margin") and "-" in value:
        return True
    if name == "font-size":
        return not re.fullmatch(
            r"(\d{2}px|0?\.[6-9]\d*r?em|[12](\.\d+)?r?em|[6-9]\d%|1\d\d%|\w*small)", value
        )
    if name == "opacity":
        return not re.fullmatch(r"1|0?\.[4-9]\d*", value)
    return name == "display" and value == "none"


def _allowed(tag: str, name: str, value: str) -> bool:
    if name == "class":
        return all(re.fullmatch(r"[a-z]\w?\w?|highlight|hll|anchor-link", c) for c in value.split())
    if name in ("style", "title", "aria-label"):
        return True
    if name == "role":
        return value in ROLES
    if tag == "a" and name == "href":
        return re.match(r"(https?://|mailto:|#)", value.strip(), re.IGNORECASE) is not None
    if tag == "img":
        return name in ("alt", "width", "height") or (name == "src" and _picture(value))
    if tag in ("td", "th"):
        return name in ("colspan", "rowspan", "align") and len(value) < 7
    if tag == "ol":
        return name == "start"
    return tag == "details" and name == "open"


def _picture(source: str) -> bool:
    """Only pictures that come with the page: a remote one would tell its owner who reads."""
    head, _, data = source.partition(";base64,")
    return head.removeprefix("data:") in IMAGES and head.startswith("data:") and is_base64(data)


_PROTOCOLS = ["http", "https", "mailto", "data"]
_CLEANER = bleach.Cleaner(
    tags=TAGS, attributes=_allowed, protocols=_PROTOCOLS, css_sanitizer=_Css(), strip=True
)


def clean_html(text: str) -> str:
    """HTML with what is allowed; script, frames, forms, SVG, handlers and remote content are gone."""
    if len(text) > MAX_HTML_CHARS and not text.count("data:image/"):
        return TOO_LONG
    if len(text) > 40 * MAX_HTML_CHARS or text.count("<") > MAX_TAGS or _too_deep(text):
        return TOO_LONG
    # bleach keeps the text of what it strips; a script's text is no use to a reader.
    text = re.sub(
        r"(?is)<(script|style|iframe|svg|math|object|template)\b.*?(</\1\s*>|\Z)", "", text
    )
    try:
        return _CLEANER.clean(text)
    except (RecursionError, ValueError):
        return f"<pre>{escape(text)}</pre>"


def _too_deep(text: str) -> bool:
    """Whether too many tags are open at once; those that close themselves are not counted."""
    waiting: Counter[str] = Counter()
    for closing, name in re.findall(r"<(/?)([a-zA-Z][\w-]{0,20})", text):
        name = name.lower()
        if closing:
            waiting[name] -= waiting[name] > 0
        elif name not in _CLOSES_ITSELF:
            waiting[name] += 1
            if waiting.total() > MAX_DEPTH:
                return True
    return False


@pass_context
def safe_markdown(context: Any, source: str) -> str:
    """nbconvert's markdown2html, its result cleaned."""
    cell = context.get("cell") or {}
    renderer = IPythonRenderer(
        escape=False, attachments=cell.get("attachments", {}), exclude_anchor_links=True
    )
    try:
        html = MarkdownWithMath(renderer=renderer).render(safe_math(source[:MAX_TEXT_CHARS]))
    # mistune has no error of its own; a text that it cannot take is shown as it is.
    except Exception:
        return f"<pre>{escape(source[:MAX_TEXT_CHARS])}</pre>"
    return clean_html(html)


def safe_math(text: str) -> str:
    """Text whose formulas cannot carry links, attributes, styles or definitions."""
    return _MATH.sub(r"\\ ", text)


class SanitizeSubmission(Preprocessor):
    """Reduce a notebook to what a page of feedback shows: text, tables and pictures."""

    enabled = True

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        nb.metadata = NotebookNode(
            kernelspec={"name": "python3", "display_name": "Python 3", "language": "python"},
            language_info={"name": "python"},
        )
        self.markup = 0
        for number, cell in enumerate(nb.cells):
            self.cell(cell, number)
        return nb, resources

    def cell(self, cell: NotebookNode, number: int) -> None:
        marks = cell.metadata.get("nbgrader")
        cell.metadata = NotebookNode(nbgrader=marks) if marks else NotebookNode()
        cell["id"] = f"cell-{number}"
        cell.source = clean_text(cell.source)
        if cell.cell_type == "raw":
            cell.cell_type, cell.source = "markdown", f"<pre>{escape(cell.source)}</pre>"
        if cell.cell_type == "markdown" and self.over(cell.source):
            cell.source = TOO_LONG
        if cell.cell_type == "code":
            count = cell.get("execution_count")
            cell.execution_count = count if isinstance(count, int) else None
            cell.outputs = [self.output(output) for output in cell.outputs]

    def output(self, output: NotebookNode) -> NotebookNode:
        if output.output_type == "stream":
            output.text = _short(output.text)
            output.name = "stderr" if output.name == "stderr" else "stdout"
        elif output.output_type == "error":
            output.traceback = [_short(line) for line in output.traceback[:200]]
        else:
            data = output.get("data", {})
            output.data = NotebookNode(
                {m: self.safe(m, v) for m, v in data.items() if _shows(m, v)}
            )
            output.metadata = NotebookNode()
        return output

    def over(self, text: str) -> bool:
        """Count a text's markup; whether the notebook has too much of it by now."""
        self.markup += sum(map(text.count, "<*_`[|"))
        return self.markup > MAX_MARKUP

    def safe(self, mime: str, value: str) -> str:
        if mime in IMAGES:
            return value
        if mime in ("text/html", "text/markdown") and self.over(value):
            return TOO_LONG
        if mime == "text/html":
            return clean_html(value)
        return safe_math(_short(value)) if mime == "text/latex" else _short(value)


def _shows(mime: str, value: Any) -> bool:
    if not isinstance(value, str) or mime not in _FORM:
        return False
    return mime not in IMAGES or is_base64(value)


def _short(text: str) -> str:
    text = clean_text(text) if "\x1b" not in text else text
    return text if len(text) <= MAX_TEXT_CHARS else text[:MAX_TEXT_CHARS] + "\n... cut here ..."
