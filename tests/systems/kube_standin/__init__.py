"""A stand-in for a cluster's API server: discovery, objects, server-side apply, over real HTTP on loopback.

Reduced where no test looks: lists are owned as a whole, no watch, no admission, no garbage collector of its own
(what an object owns goes with it). `tests/systems/kubernetes` starts the real one; the conformance suite runs on both.
"""
