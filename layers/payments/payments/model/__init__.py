"""The domain: payments, cards, attempts, merchants, and the rules that hold for them."""
