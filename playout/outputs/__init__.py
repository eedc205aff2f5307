"""Where sound goes out: sound cards, servers, network streams, their amplifiers, and what each has really played."""
