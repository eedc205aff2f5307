"""Tables: equipment, fault tickets, inspection rounds, complaints and assignments."""
