"""The places where people review: comments, issues and pull requests of a git host."""
