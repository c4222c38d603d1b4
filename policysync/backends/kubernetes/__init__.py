"""Kubernetes: any kind that has a schema file, by server-side apply."""
