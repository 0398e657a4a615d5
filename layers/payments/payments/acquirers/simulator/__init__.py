"""The simulated acquirer and issuer of test mode."""
