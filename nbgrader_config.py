"""nbgrader's folders mapped onto ours. Run nbgrader from this folder."""

import os
import sys
from pathlib import Path

from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute

from autograder.gradebook import GradebookError, demand_server
from autograder.grading import converter, sanitize
from autograder.grading.execute import CourseExecute

root = Path(__file__).resolve().parent
c = get_config()  # noqa: F821  (given by traitlets)

c.CourseDirectory.course_id = "model-miniaturization"
c.CourseDirectory.root = str(root)
c.CourseDirectory.source_directory = "autograder/work/source"
c.CourseDirectory.release_directory = "modules"
c.CourseDirectory.submitted_directory = "autograder/work/submitted"
c.CourseDirectory.autograded_directory = "autograder/work/autograded"
c.CourseDirectory.feedback_directory = "autograder/work/feedback"
c.CourseDirectory.db_url = f"sqlite:///{root / 'autograder/work/gradebook.db'}"

c.ClearSolutions.code_stub = {"python": "# Write your code here.\nraise NotImplementedError"}
c.ClearSolutions.text_stub = "*Write your answer here.*"

# Our Execute in place of nbgrader's: partial credit, and cases that differ by submission.
c.Autograde.autograde_preprocessors = [
    CourseExecute if preprocessor is Execute else preprocessor
    for preprocessor in Autograde.autograde_preprocessors.default()
]
c.CourseExecute.timeout = 240
c.CourseExecute.shutdown_kernel = "immediate"

# Autograde reads a sound copy of each submission: a broken one gets zeros and a reason, and the run goes on.
converter.install()

# Feedback and formgrader show nothing of a submission but text, tables and pictures.
c.HTMLExporter.sanitize_html = True
c.HTMLExporter.filters = {
    "markdown2html": sanitize.safe_markdown,
    "clean_html": sanitize.clean_html,
}
c.HTMLExporter.preprocessors = [sanitize.SanitizeSubmission]
# Else formgrader prints every setting into its page: the server's token, the gradebook's address.
c.FormgradeExtension.debug = False

# nbgrader starts `alembic` by name; the source notebooks are made from solutions/*.py.
os.environ["PATH"] = str(Path(sys.executable).parent) + os.pathsep + os.environ.get("PATH", "")
(root / "autograder/work").mkdir(parents=True, exist_ok=True)
if "nbgrader" in Path(sys.argv[0]).parts[-2:]:
    # A server that does not answer stops the command before it has removed or made a file.
    try:
        demand_server(c.CourseDirectory.db_url, sys.argv)
    except GradebookError as error:
        sys.exit(f"Nothing was done. {error}")
if "generate_assignment" in sys.argv:
    from autograder.build.sources import BuildError
    from autograder.build.stage import stage

    try:
        stage(root)
    except BuildError as error:
        sys.exit(f"Nothing was generated. {error}")
