"""Weights of a network in 4, 6 or 8 bits each: the microscaling (MX) formats of the Open Compute
Project, as files that load like any other.
"""
