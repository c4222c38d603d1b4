"""Machines with a Secure App Connector, over SSH."""
