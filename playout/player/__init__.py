"""The player, a child process: decks, bus, the sounds it makes itself, and its keeper in the station."""
