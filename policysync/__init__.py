"""GitOps policy-as-code for security consoles."""
