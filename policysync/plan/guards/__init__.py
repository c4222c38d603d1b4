"""Reasons not to carry out a plan: each one function in a file of its own, listed in `guards.listed`."""
