"""The older names of torch.amp."""

from torch.amp import GradScaler, autocast as _autocast


class autocast(_autocast):
    """torch.amp.autocast for a device that is not there: changes nothing."""

    def __init__(self, enabled=True, dtype=None, cache_enabled=True):
        super().__init__("cuda", dtype, enabled, cache_enabled)
