"""A plan and an outcome, for people and for machines."""
