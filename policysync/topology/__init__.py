"""Which connector carries which registry to which console."""
