"""What `python -m bench.train` is made of: the training of the lossless coder's constants."""
