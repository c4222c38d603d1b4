"""The embedded console: the API as the reference describes it, sharing no code with the backends."""
