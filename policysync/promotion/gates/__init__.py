"""What has to be so before a revision is let into a stage: one file a gate."""
