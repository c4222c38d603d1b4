"""Connectors that run in a cluster: Helm releases, and the objects of other ways to install."""
