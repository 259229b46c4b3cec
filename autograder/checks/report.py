"""A check's report, as text for terminals and logs and as HTML for JupyterLab."""

import re
from dataclasses import dataclass, field
from html import escape

from autograder.checks.spec import Finding


@dataclass
class Report:
    """The result of one check: points got of max_points, and what was found, by part."""

    exercise: str
    points: float
    max_points: float
    findings: list[Finding]
    passed_parts: list[str] = field(default_factory=list)
    cases_tried: int = 0
    hints: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        return not self.findings

    def result(self) -> dict:
        """What the dashboard and the graders read."""
        names = [f.misconception for f in self.findings if f.misconception]
        return {
            "exercise": self.exercise,
            "points": self.points,
            "max_points": self.max_points,
            "misconception": names[0] if names else None,
        }

    def headline(self) -> str:
        return f"{self.exercise}: {self.points:g} of {self.max_points:g} points"


def _facts(finding: Finding) -> list[tuple[str, str]]:
    pairs = [
        ("case", finding.case),
        ("yours", finding.yours),
        ("right", finding.right),
        ("where", finding.where),
    ]
    return [(name, value) for name, value in pairs if value]


def render_text(report: Report) -> str:
    """The report in plain text, at most a dozen lines."""
    if report.passed:
        return f"{report.headline()}. All {report.cases_tried} cases right."
    lines = [report.headline() + "."]
    for finding in report.findings:
        part = f" [{finding.part}]" if finding.part != "all" else ""
        lines.append(f"  x{part} {finding.message}")
        lines += [f"      {name:<6} {value}" for name, value in _facts(finding)]
        if finding.cause:
            name = f" ({finding.misconception})" if finding.misconception else ""
            lines.append(f"      cause  {finding.cause}{name}")
        if finding.hint:
            lines.append(f"      hint   {finding.hint}")
    if report.passed_parts:
        lines.append(f"  right: {', '.join(report.passed_parts)}")
    return "\n".join(lines)


# JupyterLab's variables follow its theme; the fallbacks serve static pages such as feedback.
_STYLE = (
    "border-left:4px solid {accent};padding:.5em .9em;margin:.3em 0;max-width:52em;"
    "color:var(--jp-content-font-color1,#1a1a1a);"
    "background:var(--jp-layout-color1,#ffffff);"
    "font-family:var(--jp-content-font-family,system-ui,sans-serif);line-height:1.45"
)
_GOOD, _PART, _BAD = (
    "var(--jp-success-color1,#1b7837)",
    "var(--jp-warn-color1,#b35806)",
    "var(--jp-error-color1,#b2182b)",
)


def _words(text: str) -> str:
    """Escaped prose; what stands in `backticks` is set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _row(name: str, value: str) -> str:
    return (
        f"<div><span style='display:inline-block;min-width:4.5em;opacity:.75'>{name}</span>"
        f"<code style='white-space:pre-wrap'>{escape(value)}</code></div>"
    )


def _finding_html(finding: Finding) -> str:
    part = f"<b>{escape(finding.part)}:</b> " if finding.part != "all" else ""
    out = [f"<div style='margin-top:.5em'>{part}{_words(finding.message)}</div>"]
    if finding.cause:
        name = f" <i>({escape(finding.misconception)})</i>" if finding.misconception else ""
        out.append(f"<div style='margin:.2em 0'><b>{_words(finding.cause)}</b>{name}</div>")
    out += [_row(name, value) for name, value in _facts(finding)]
    if finding.hint:
        out.append(f"<div style='margin:.2em 0'>Hint: {_words(finding.hint)}</div>")
    return "".join(out)


def render_html(report: Report) -> str:
    """The report as one self-contained HTML fragment; every value of the learner's is escaped."""
    accent = _GOOD if report.passed else (_PART if report.points else _BAD)
    mark = "\u2713" if report.passed else "\u2717"
    head = f"<b><span style='color:{accent}'>{mark}</span> {escape(report.headline())}</b>"
    body = (
        f" <span style='opacity:.75'>All {report.cases_tried} cases right.</span>"
        if report.passed
        else "".join(_finding_html(f) for f in report.findings)
    )
    if report.passed_parts and not report.passed:
        right = escape(", ".join(report.passed_parts))
        body += f"<div style='margin-top:.5em;opacity:.75'>Already right: {right}</div>"
    if report.hints and not report.passed:
        items = "".join(f"<li>{_words(hint)}</li>" for hint in report.hints)
        body += f"<details><summary>More hints</summary><ol>{items}</ol></details>"
    role = "role='status' aria-label='check report'"
    return f'<div {role} style="{_STYLE.format(accent=accent)}">{head}{body}</div>'
