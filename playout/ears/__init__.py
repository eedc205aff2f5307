"""What hears what really went out, compares it with what should have, and says so."""
