"""What tests share: a running stack, and merchants and shoppers who use it over HTTP."""
