"""The formats that the mock server speaks: one file for each family of providers, and one table of their paths."""
