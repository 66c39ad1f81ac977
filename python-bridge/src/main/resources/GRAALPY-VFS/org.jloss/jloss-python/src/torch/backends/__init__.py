"""What scripts set and ask of devices that are not there."""

from . import cudnn, mps
