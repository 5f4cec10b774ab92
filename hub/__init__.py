"""Channel hub: keeps every sales channel of a merchant in agreement. Names no channel."""
