"""The proof of one airing: its recording named, its file made, its page drawn."""
