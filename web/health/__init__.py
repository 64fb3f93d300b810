"""How the parts of Dutyline are: for people, for load balancers, for Prometheus."""
