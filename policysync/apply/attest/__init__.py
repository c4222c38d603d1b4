"""What was applied, as a statement that somebody signed: in-toto Statement v1 in a DSSE envelope."""
