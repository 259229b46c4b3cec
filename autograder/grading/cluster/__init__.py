"""Grading on other machines, through Dask distributed.

pool: the grader's side, the same interface as the local pool. worker: a relay in each Dask worker.
child: the process that grades there; it alone reads a submission. parcel: files as plain data.
version: whether two machines would grade alike.
"""
