"""What the owner of a stack runs: keys, merchants' lists, backups, deploys."""
