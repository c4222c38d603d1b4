"""What the product's speed is measured with; `make bench` prints one table."""
