"""How likely is the next digit? Integers only: what both ends compute must be equal on every
machine.
"""
