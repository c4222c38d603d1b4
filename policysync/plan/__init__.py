"""What has to change, decided without touching anything."""
