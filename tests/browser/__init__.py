"""The shopper's pages in a real browser, against the running stack."""
