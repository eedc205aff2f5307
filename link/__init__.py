"""Between authority and station: intent signed down, facts chained up, and the door to a station."""
