"""The station: decides what is on air now, airs it through a player process, and writes down what really went out."""
