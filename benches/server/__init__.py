"""The cost of a gateway: a model's server and clients in one native process, gateways in processes of their own."""
