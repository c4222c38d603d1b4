"""One normal form, and the way between our shape and the wire's."""
