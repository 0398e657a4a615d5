"""`make start-sam`: the API's functions in SAM's containers, all else in the local stack."""
