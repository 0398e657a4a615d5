"""Who moves the money: the port every acquirer fits, and the acquirers there are."""
