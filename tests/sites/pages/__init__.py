"""What the test sites serve, by subject."""
