"""Errors of lab.cuda: one sentence each, with the place in the learner's source."""

from lab.errors import CourseError


class CudaError(CourseError):
    """A kernel, or its launch, that cannot be: what is wrong and what to do."""


class CompileError(CudaError):
    """The source does not compile. `messages` has the compiler's own text."""

    def __init__(self, sentence: str, messages: str = "") -> None:
        super().__init__(f"{sentence}\n{messages}".rstrip())
        self.messages = messages


class KernelError(CudaError):
    """A kernel did what a kernel must not do.

    Attributes:
        findings: what was found, the first one first; each has `kind`, `message`, `line`,
            `block` and `thread`.
        report: the launch's `lab.cuda.report.Report`, None when the kernel was not watched.
    """

    def __init__(self, findings, report=None) -> None:
        first = findings[0].message
        more = len(findings) - 1
        if more:
            first += f" ({more} more finding{'s' * (more > 1)}.)"
        super().__init__(first)
        self.findings = findings
        self.report = report
