"""What single kinds do that no annotation of a schema can say."""
