"""`make start`: the template on this machine, without Docker or an AWS account."""
