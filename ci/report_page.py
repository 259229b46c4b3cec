"""report.html: one page, no other file needed, that shows a run and why each notebook failed."""

import jinja2
from run_state import Result

_TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Notebooks: {{ passed }} passed, {{ failed }} failed</title>
<style>
:root { color-scheme: light dark; --text: #1f2328; --quiet: #59636e; --page: #ffffff;
  --box: #f6f8fa; --line: #d1d9e0; --good: #0b5cad; --bad: #a8410a; --bar: #9cc3ea; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --quiet: #9aa4af;
  --page: #0d1117; --box: #161b22; --line: #30363d; --good: #79b8ff; --bad: #ffa46b;
  --bar: #1f4e82; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--page);
  max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: .2rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
p.quiet, .quiet { color: var(--quiet); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
th { font-weight: 600; } .number { text-align: right; white-space: nowrap; }
td.number { background: linear-gradient(var(--bar), var(--bar)) no-repeat left bottom / 0 3px; }
.passed { color: var(--good); } .failed { color: var(--bad); font-weight: 600; }
a { color: inherit; }
section { border: 1px solid var(--line); border-left: 4px solid var(--bad); border-radius: 4px;
  padding: .2rem 1rem 1rem; margin: 1rem 0; }
section > p { font-weight: 600; overflow-wrap: anywhere; }
h3 { font-size: .85rem; color: var(--quiet); margin: 1rem 0 .3rem; font-weight: 600; }
pre { background: var(--box); border: 1px solid var(--line); border-radius: 4px; margin: 0;
  padding: .7rem; overflow-x: auto; font: 13px/1.45 ui-monospace, monospace; }
</style>
</head>
<body>
<h1>{{ passed }} passed, {{ failed }} failed{% if not_run %}, {{ not_run }} not run{% endif %}</h1>
<p class="quiet">Profile {{ profile }}, {{ time }}. A bar under a figure is its share of the
largest in its column.</p>
<div class="scroll"><table>
<thead><tr><th scope="col">Notebook</th><th scope="col">Result</th>
<th scope="col" class="number">Seconds</th><th scope="col" class="number">Peak MB</th></tr></thead>
<tbody>
{%- for r in results %}
<tr><th scope="row">
{%- if r.failures %}<a href="#n{{ loop.index }}">{{ r.name }}</a>{% else %}{{ r.name }}{% endif -%}
</th>
<td class="{{ 'quiet' if r.status == 'not run' else r.status }}">
{{- 'passed earlier' if r.resumed else r.status }}</td>
{%- if r.status == 'not run' %}<td></td><td></td>{% else %}
<td class="number" style="background-size: {{ '%.0f' % (100 * r.seconds / most_seconds) }}% 3px">
{{- '%.1f' % r.seconds }}</td>
<td class="number" style="background-size: {{ '%.0f' % (100 * r.peak_memory_mb / most_mb) }}% 3px">
{{- '%.0f' % r.peak_memory_mb }}</td>{% endif %}</tr>
{%- endfor %}
</tbody></table></div>
{%- for r in results if r.failures %}
<h2 id="n{{ results.index(r) + 1 }}">{{ r.name }}</h2>
{%- for f in r.failures %}
<section><p>{{ f.sentence }}</p>
{%- for title, text in (('Source of the cell', f.source), ('Output', f.text),
                        ('Traceback', f.traceback)) if text %}
<h3>{{ title }}{% if f.cell and loop.first %}: {{ f.cell }}{% endif %}</h3>
<pre tabindex="0">{{ '\n' }}{{ text }}</pre>
{%- endfor %}
</section>
{%- endfor %}
{%- endfor %}
</body>
</html>
"""


def render_page(results: list[Result], profile: str, time: str) -> str:
    """The page as text. Everything that comes from a notebook is escaped.

    time: when the run ended, ISO 8601 in UTC.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    statuses = [result.status for result in results]
    return environment.from_string(_TEMPLATE).render(
        results=results,
        profile=profile,
        time=time.replace("T", " ").replace("+00:00", " UTC"),
        passed=statuses.count("passed"),
        failed=statuses.count("failed"),
        not_run=statuses.count("not run"),
        most_seconds=max([r.seconds for r in results], default=0) or 1,
        most_mb=max([r.peak_memory_mb for r in results], default=0) or 1,
    )
