"""The tests over a real model server: llama.cpp's, with a model of random weights."""
