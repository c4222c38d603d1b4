"""Moving a reviewed revision from one stage to the next: facts, gates, pins."""
