"""Carrying a plan out, and remembering it."""
