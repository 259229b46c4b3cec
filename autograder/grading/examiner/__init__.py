"""The examiner: judges check cells outside the learner's kernel."""
