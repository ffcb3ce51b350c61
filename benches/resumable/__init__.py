"""Resumable streams: what a store costs."""
