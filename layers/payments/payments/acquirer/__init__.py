"""The acquirer's side: the port every acquirer fits, and the simulated one for test keys."""
