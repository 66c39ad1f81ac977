"""Which PyTorch this package stands for, and that it was built for no other device."""

__version__ = "2.10.0"
cuda = hip = None
debug = False
