"""Trade rules, one room per module a merchant would name. Rooms do not know each other."""
