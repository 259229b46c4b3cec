"""From py:percent sources to the notebooks that learners open."""
