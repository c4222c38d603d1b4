"""Apono's API: integrations, and how connectors are."""
