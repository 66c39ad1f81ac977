"""The event loop of asyncio, in the place of asyncio.unix_events: coroutines and timers alone.

The usual one wakes itself through a pair of sockets, which are not open. Without sockets, processes,
signals and threads nothing comes from outside, so that this one sleeps until the next timer.
"""

import time
from asyncio import base_events, events

__all__ = ("SelectorEventLoop", "DefaultEventLoopPolicy")


class _NothingFromOutside:
    def select(self, timeout):
        if timeout is None:
            raise RuntimeError(
                "all coroutines wait for one another: sockets, processes and threads, which could"
                " end that, are not open to this script"
            )
        if timeout > 0:
            time.sleep(timeout)
        return ()


class SelectorEventLoop(base_events.BaseEventLoop):
    """Runs coroutines and timers."""

    def __init__(self, selector=None):
        super().__init__()
        self._selector = _NothingFromOutside()

    def _process_events(self, event_list):
        pass

    def run_in_executor(self, executor, func, *args):
        raise PermissionError("threads are not open to this script")

    def _write_to_self(self):
        pass  # nobody else could wake it


class DefaultEventLoopPolicy(events.BaseDefaultEventLoopPolicy):
    """Makes such loops."""

    _loop_factory = SelectorEventLoop
