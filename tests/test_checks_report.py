"""The report: every value of the learner's is escaped, the text fits a log, the HTML follows the theme."""

from html.parser import HTMLParser

from autograder.checks.report import Report, render_html, render_text
from autograder.checks.spec import Finding

EVIL = "<script>alert(1)</script><img src=x onerror=alert(1)>"
BAD = Report(
    "double",
    3.0,
    4.0,
    [
        Finding(
            "values",
            f"`y` is {EVIL}",
            yours=EVIL,
            right="2",
            where=EVIL,
            cause=EVIL,
            hint=EVIL,
            case=EVIL,
        )
    ],
    passed_parts=["core"],
    hints=(EVIL,),
)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen, self.open = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append(tag)
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_learner_s_text_cannot_become_markup():
    parser = Tags()
    parser.feed(render_html(BAD))
    assert not parser.open
    assert set(parser.seen) <= {"div", "span", "b", "i", "code", "details", "summary", "ol", "li"}


def test_backticks_become_code_after_escaping():
    html = render_html(Report("d", 0, 1, [Finding("values", "`<b>` is off")]))
    assert "<code>&lt;b&gt;</code> is off" in html


def test_theme_variables_have_fallbacks():
    html = render_html(BAD)
    assert html.count("var(--jp-") == html.count(",#") + html.count(",system-ui")


def test_text_says_points_case_both_values_and_cause():
    text = render_text(BAD)
    assert text.startswith("double: 3 of 4 points.")
    for word in ("yours", "right  2", "where", "cause", "hint", "right: core"):
        assert word in text
    assert len(text.splitlines()) <= 12


def test_pass_is_one_line():
    assert (
        render_text(Report("d", 4, 4, [], cases_tried=9)) == "d: 4 of 4 points. All 9 cases right."
    )
