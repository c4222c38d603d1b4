"""git bytes → desired, with every problem at its file, line and column."""
