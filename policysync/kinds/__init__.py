"""Kinds as data: one schema file is one kind."""
