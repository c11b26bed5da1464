"""What an arm is before it trains: size, reach, costs, and whether its parts keep their contracts."""
