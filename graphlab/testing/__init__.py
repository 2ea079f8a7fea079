"""The laws every op, aggregator and layer must pass, for users to run on their own classes."""
