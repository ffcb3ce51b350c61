"""The models of providers: request building, error mapping, model classes."""
