"""Feedback shows text, tables and pictures of a submission, and nothing that runs, loads or overlays."""

import html.parser
import re

import pytest
from nbconvert.exporters import HTMLExporter
from nbconvert.filters import markdown2html
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from traitlets.config import Config

from autograder.checks.report import Report, render_html
from autograder.checks.spec import Finding
from autograder.grading.sanitize import SanitizeSubmission, clean_html, safe_markdown

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

# HURT marks what must not come out as a tag, an attribute, an address or a style.
HOSTILE = [
    "<script>HURT()</script>",
    "<SCRIPT src=//hurt.example/HURT.js></SCRIPT>",
    "<scr<script>ipt>HURT()</scr</script>ipt>",
    "<img src=x onerror=HURT()>",
    "<img src='https://hurt.example/HURT.png'>",
    "<img src='data:image/svg+xml;base64,HURT'>",
    '<img src="data:image/png;base64,AAAA" onload="HURT()">',
    "<svg onload=HURT()><script>HURT()</script></svg>",
    "<svg><a xlink:href='javascript:HURT()'><text>x</text></a></svg>",
    "<math><mtext><style><img src=x onerror=HURT()></style></mtext></math>",
    "<a href='javascript:HURT()'>x</a>",
    "<a href='java\tscript:HURT()'>x</a>",
    "<a href=' &#106;avascript:HURT()'>x</a>",
    "<a href='data:text/html,HURT'>x</a>",
    "[x](javascript:HURT())",
    "[x](<JaVaScRiPt:HURT()>)",
    "<iframe srcdoc='<script>HURT()</script>'></iframe>",
    "<object data=HURT></object><embed src=HURT>",
    "<form action=HURT><input name=HURT autofocus onfocus=HURT()></form>",
    "<meta http-equiv=refresh content='0;url=HURT'><base href=HURT><link rel=stylesheet href=HURT>",
    "<style>body{background:url(HURT)}</style>",
    "<div style='background:url(https://hurt.example/HURT)'>x</div>",
    "<div style='position:fixed;top:0;left:0;z-index:HURT'>Score: 6 / 6</div>",
    "<div style='margin-top:-HURTpx;font-size:1px;display:none;opacity:0'>x</div>",
    "<div style='width:expression(HURT())'>x</div>",
    "<div style='color:r\\65 d;background:\\75rl(HURT)'>x</div>",
    "<div class='modal navbar-fixed-top HURT' id=HURT name=HURT>x</div>",
    "<details ontoggle=HURT() open><summary>x</summary></details>",
    "<p title='--><script>HURT()</script>'>x</p>",
    "<!--><script>HURT()</script>-->",
    "<template><script>HURT()</script></template><noscript><p title='</noscript><img src=x onerror=HURT()>'>",
    "<svg></p><style><a id='</style><img src=1 onerror=HURT()>'>",
]


class Reader(html.parser.HTMLParser):
    """Collects tags and attributes as a browser would meet them, and the text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_data(self, data):
        self.text += data


def assert_harmless(html_text):
    page = Reader(html_text)
    assert not {"script", "style", "iframe", "svg", "object", "embed", "form", "input"} & set(
        page.tags
    )
    assert not {"meta", "base", "link", "math", "template", "noscript"} & set(page.tags)
    for _, name, value in page.attributes:
        assert not name.startswith("on") and name not in ("id", "name", "srcdoc")
        assert "javascript:" not in re.sub(r"\s", "", value).lower()
        assert "HURT" not in value or name == "title", (name, value)
        assert name != "style" or not re.search(r"url|position|expression|\\|-\d|none", value)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_html_is_made_harmless(text):
    assert_harmless(clean_html(text))
    assert_harmless(safe_markdown({"cell": {}}, text))


@pytest.mark.parametrize(
    "wrap", ["before {} after", "- {}", "> {}", "| a |\n|---|\n| {} |", "# {}"]
)
def test_hostile_markdown_is_made_harmless_wherever_it_stands(wrap):
    for text in HOSTILE:
        assert_harmless(safe_markdown({"cell": {}}, wrap.format(text)))


def test_the_courses_own_report_keeps_its_look():
    finding = Finding(
        "values", "`q` is off by one & more <here>.", "3", "4", cause="floor", part="a"
    )
    report = Report("double", 3.0, 4.0, [finding], ["b"], 5, ("Look at `round`.",))
    shown, wanted = Reader(clean_html(render_html(report))), Reader(render_html(report))
    assert shown.text == wanted.text and shown.tags == wanted.tags

    def styles(page):
        return [
            re.sub(r"\s*([:;])\s*", r"\1", v).strip(";")
            for _, n, v in page.attributes
            if n == "style"
        ]

    assert styles(shown) == styles(wanted)
    assert [a for a in shown.attributes if a[1] != "style"] == [
        a for a in wanted.attributes if a[1] != "style"
    ]


def test_ordinary_text_tables_pictures_and_formulas_stay():
    text = "# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n`x < y` and $a_{i} < b$\n\n![p](attachment:p.png)"
    out = safe_markdown({"cell": {"attachments": {"p.png": {"image/png": PNG}}}}, text)
    page = Reader(out)
    assert {"h1", "table", "td", "code", "img"} <= set(page.tags)
    assert "$a_{i} < b$" in page.text and "x < y" in page.text and PNG in out


@pytest.mark.parametrize(
    "formula", [r"\href{javascript:HURT()}{x}", r"\class{modal}{x}", r"\def\y{\href}"]
)
def test_formulas_carry_no_links_or_definitions(formula):
    out = safe_markdown({"cell": {}}, f"${formula}$")
    assert not re.search(r"\\(href|class|def)", out)


def test_huge_and_deep_html_is_cut_short():
    for text in ("<b>x</b>" * 100_000, "<div>" * 5_000, "<ul><li></x>" * 3_000):
        assert "too long" in clean_html(text)
    table = f"<table>{'<tr><td>1</td><td>2</td></tr>' * 1_500}</table>"
    assert clean_html(table).count("<td>") == 3_000


def test_markup_of_one_notebook_is_bounded():
    cells = [new_markdown_cell("*a* " * 10_000) for _ in range(20)]
    notebook, _ = SanitizeSubmission().preprocess(new_notebook(cells=cells), {})
    assert sum("too long" in cell.source for cell in notebook.cells) == 17


@pytest.mark.parametrize("text", [t for t in HOSTILE if "title='--" not in t and "<!--" not in t])
def test_nbconvert_alone_lets_it_through(text):
    with pytest.raises(AssertionError):
        assert_harmless(markdown2html(text))


def page_of(cells):
    config = Config()
    config.HTMLExporter.sanitize_html = True
    config.HTMLExporter.template_name = "classic"
    config.HTMLExporter.filters = {"markdown2html": safe_markdown, "clean_html": clean_html}
    config.HTMLExporter.preprocessors = [SanitizeSubmission]
    notebook = new_notebook(cells=cells, metadata={"title": "</title><script>HURT()</script>"})
    notebook.metadata["widgets"] = {"application/vnd.jupyter.widget-state+json": {"HURT": 1}}
    return HTMLExporter(config=config).from_notebook_node(notebook)[0]


def test_outputs_and_metadata_of_a_whole_page_are_made_harmless():
    bad = "<img src=x onerror=HURT()>"
    data = {
        "application/javascript": "HURT()",
        "application/vnd.jupyter.widget-view+json": {"model_id": "HURT"},
        "image/svg+xml": "<svg onload=HURT()/>",
        "image/jpeg": '"><img src=x onerror=HURT()>',
        "text/html": bad,
        "text/plain": "plain",
    }
    outputs = [
        new_output("display_data", {name: value}, metadata={"course": {"points": 4}})
        for name, value in data.items()
    ]
    outputs += [
        new_output(
            "display_data", {"image/png": PNG}, metadata={"image/png": {"width": f'1"{bad}'}}
        ),
        new_output("stream", name="stdout", text=bad),
        new_output("error", ename=bad, evalue=bad, traceback=[f"\x1b[31m{bad}\x1b[0m"]),
        new_output("display_data", {"text/html": bad}, metadata={"text/html": {"isolated": True}}),
    ]
    tags = {"tags": ['"><img src=x onerror=HURT()>']}
    cells = [new_code_cell(f"'{bad}'", outputs=outputs, metadata=tags), new_markdown_cell(bad)]
    page = Reader(page_of(cells))
    assert not [a for a in page.attributes if a[1].startswith("on") or "HURT" in a[2]]
    assert "iframe" not in page.tags and "plain" in page.text and PNG in str(page.attributes)
    scripts = re.findall(r"(?s)<script.*?</script>", page_of(cells))
    assert not any("HURT" in script for script in scripts)
