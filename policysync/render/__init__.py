"""Connectors → the vendors' artefacts. Pure: documents in, texts out."""
