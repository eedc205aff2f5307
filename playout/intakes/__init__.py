"""Where sound comes in from elsewhere: relays and inputs, each a child of its own that gives PCM on a pipe."""
