"""What the two players minimise."""
