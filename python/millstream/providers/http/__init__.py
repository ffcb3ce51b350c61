"""Requests over HTTP as all providers make them: built, sent, tried again, their errors told apart."""
