"""The one kind of error that the course raises at a learner: a sentence that says what to do."""


class CourseError(Exception):
    """What went wrong and what to do about it, in one sentence.

    Shown in a notebook without a stack trace, because the trace leads into course code that the
    learner did not write.
    """

    def _render_traceback_(self) -> list[str]:
        """IPython's hook for the rendering of an exception."""
        return [f"{type(self).__name__}: {self}"]
