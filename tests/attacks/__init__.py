"""The bank of hostile submissions: each is graded for real, and must gain and harm nothing.

`make attack` grades them all and writes autograder/ATTACKS.md. An attack is a function in one of the
modules named in bank.py; its name is the name on the page, its docstring says what it tries.
"""
