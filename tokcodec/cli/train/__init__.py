"""`tokcodec train`: a module for each of the things that can be trained."""
