"""Recurrent networks."""

import math
import warnings

import torch
from torch._checked import rnn
from torch.nn import functional as F, init
from torch.nn.parameter import Parameter
from torch.nn.utils.rnn import PackedSequence

from .module import Module

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


class RNNBase(Module):
    """What the recurrent layers have in common; each runs by one operator of libtorch."""

    def __init__(
        self,
        mode,
        input_size,
        hidden_size,
        num_layers=1,
        bias=True,
        batch_first=False,
        dropout=0.0,
        bidirectional=False,
        proj_size=0,
        device=None,
        dtype=None,
    ):
        super().__init__()
        if not isinstance(dropout, (int, float)) or isinstance(dropout, bool) or not 0 <= dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
            )
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}",
                stacklevel=3,
            )
        if not isinstance(hidden_size, int):
            raise TypeError(f"hidden_size should be of type int, got: {type(hidden_size).__name__}")
        if hidden_size <= 0:
            raise ValueError("hidden_size must be greater than zero")
        if num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        if proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if proj_size >= hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if mode not in _GATES:
            raise ValueError("Unrecognized RNN mode: " + mode)
        self.mode = mode
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bidirectional
        self.proj_size = proj_size
        self._all_weights = []
        directions = ("", "_reverse") if bidirectional else ("",)
        gates = _GATES[mode] * hidden_size
        state = proj_size or hidden_size
        for layer in range(num_layers):
            width = state * len(directions) if layer else input_size
            for direction in directions:
                shapes = {"weight_ih": (gates, width), "weight_hh": (gates, state)}
                if bias:
                    shapes.update(bias_ih=(gates,), bias_hh=(gates,))
                if proj_size:
                    shapes.update(weight_hr=(proj_size, hidden_size))
                names = [f"{name}_l{layer}{direction}" for name in shapes]
                for name, shape in zip(names, shapes.values()):
                    setattr(self, name, Parameter(torch.empty(shape, device=device, dtype=dtype)))
                self._all_weights.append(names)
        self.reset_parameters()

    def reset_parameters(self):
        """Draws new parameters."""
        bound = 1.0 / math.sqrt(self.hidden_size)
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def flatten_parameters(self):
        """Nothing: it is for GPUs."""

    @property
    def all_weights(self):
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def _run(self, input, states, widths):
        """The output and the states after it; `widths` are the sizes of the states."""
        if isinstance(input, PackedSequence):
            return self._run_packed(input, states, widths)
        if input.dim() not in (2, 3):
            raise ValueError(
                f"{self._get_name()}: Expected input to be 2D or 3D, got {input.dim()}D instead"
            )
        batched = input.dim() == 3
        if not batched:
            input = input.unsqueeze(0 if self.batch_first else 1)
            states = states and [s.unsqueeze(1) for s in states]
        output, after = self._network(input, states, widths, input.size(0 if self.batch_first else 1))
        if not batched:
            output = output.squeeze(0 if self.batch_first else 1)
            after = [s.squeeze(1) for s in after]
        return output, after

    def _run_packed(self, input, states, widths):
        data, sizes, order, back = input
        sizes = sizes.tolist()
        if states is not None and order is not None:
            states = [s.index_select(1, order) for s in states]
        output, after = self._network(data, states, widths, sizes[0], sizes)
        if back is not None:
            after = [s.index_select(1, back) for s in after]
        return PackedSequence(output, input.batch_sizes, order, back), after

    def _network(self, input, states, widths, batch, batch_sizes=()):
        weights = [w for group in self.all_weights for w in group]
        if input.dtype != weights[0].dtype:
            raise ValueError(f"input must have the type {weights[0].dtype}, got type {input.dtype}")
        if input.size(-1) != self.input_size:
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.size(-1)}"
            )
        layers = self.num_layers * (2 if self.bidirectional else 1)
        shapes = [(layers, batch, width) for width in widths]
        if states is None:
            states = [torch.zeros(shape, dtype=input.dtype) for shape in shapes]
        for i, (state, shape) in enumerate(zip(states, shapes)):
            if tuple(state.shape) != shape:
                what = "hidden size" if len(shapes) == 1 else f"hidden[{i}] size"
                raise RuntimeError(f"Expected {what} {shape}, got {list(state.shape)}")
        output, *after = rnn(
            self.mode,
            input,
            states,
            weights,
            self.bias,
            self.num_layers,
            self.dropout,
            self.training,
            self.bidirectional,
            self.batch_first,
            batch_sizes=batch_sizes,
        )
        return output, after

    def extra_repr(self):
        parts = [str(self.input_size), str(self.hidden_size)]
        for name, plain in (
            ("proj_size", 0),
            ("num_layers", 1),
            ("bias", True),
            ("batch_first", False),
            ("dropout", 0),
            ("bidirectional", False),
        ):
            if getattr(self, name) != plain:
                parts.append(f"{name}={getattr(self, name)}")
        return ", ".join(parts)


class RNN(RNNBase):
    """h' = tanh(W x + b + U h + c), or relu."""

    def __init__(self, *args, nonlinearity="tanh", **kwargs):
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if len(args) > 3:
            # The fourth is the nonlinearity, as in PyTorch.
            nonlinearity = args[3]
            args = args[:3] + args[4:]
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        mode = f"RNN_{nonlinearity.upper()}"
        super().__init__(mode, *args, **kwargs)
        self.nonlinearity = nonlinearity

    def forward(self, input, hx=None):
        output, (h,) = self._run(input, None if hx is None else [hx], [self.hidden_size])
        return output, h


class GRU(RNNBase):
    """Gated recurrent units."""

    def __init__(self, *args, **kwargs):
        if "proj_size" in kwargs:
            raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        super().__init__("GRU", *args, **kwargs)

    def forward(self, input, hx=None):
        output, (h,) = self._run(input, None if hx is None else [hx], [self.hidden_size])
        return output, h


class LSTM(RNNBase):
    """Long short-term memory."""

    def __init__(self, *args, **kwargs):
        super().__init__("LSTM", *args, **kwargs)

    def forward(self, input, hx=None):
        widths = [self.proj_size or self.hidden_size, self.hidden_size]
        output, after = self._run(input, None if hx is None else list(hx), widths)
        return output, tuple(after)


class _Cell(Module):
    def __init__(self, input_size, hidden_size, bias, gates, device, dtype):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.bias = bias
        shapes = {"weight_ih": (gates * hidden_size, input_size), "weight_hh": (gates * hidden_size, hidden_size)}
        for name in ("bias_ih", "bias_hh"):
            shapes[name] = (gates * hidden_size,) if bias else None
        for name, shape in shapes.items():
            value = None if shape is None else Parameter(torch.empty(shape, device=device, dtype=dtype))
            self.register_parameter(name, value)
        bound = 1.0 / math.sqrt(hidden_size) if hidden_size > 0 else 0
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _run(self, input, states, count):
        """The states after a step of `_step`."""
        if input.dim() not in (1, 2):
            raise ValueError(f"{self._get_name()}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        batched = input.dim() == 2
        if not batched:
            input = input.unsqueeze(0)
            states = states and [s.unsqueeze(0) for s in states]
        if states is None:
            states = [torch.zeros((input.size(0), self.hidden_size), dtype=input.dtype)] * count
        by_input = F.linear(input, self.weight_ih, self.bias_ih)
        by_state = F.linear(states[0], self.weight_hh, self.bias_hh)
        after = self._step(by_input, by_state, states)
        return after if batched else [s.squeeze(0) for s in after]

    def extra_repr(self):
        parts = [str(self.input_size), str(self.hidden_size)]
        if self.bias is not True:
            parts.append(f"bias={self.bias}")
        return ", ".join(parts)


class RNNCell(_Cell):
    """One step of an RNN."""

    def __init__(self, input_size, hidden_size, bias=True, nonlinearity="tanh", device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def _step(self, by_input, by_state, states):
        return [getattr(torch, self.nonlinearity)(by_input + by_state)]

    def forward(self, input, hx=None):
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        return self._run(input, None if hx is None else [hx], 1)[0]

    def extra_repr(self):
        extra = super().extra_repr()
        return extra if self.nonlinearity == "tanh" else f"{extra}, nonlinearity={self.nonlinearity}"


class GRUCell(_Cell):
    """One step of a GRU."""

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def _step(self, by_input, by_state, states):
        (r, z, n), (hr, hz, hn) = by_input.chunk(3, 1), by_state.chunk(3, 1)
        reset, update = (hr + r).sigmoid(), (hz + z).sigmoid()
        new = (n + reset * hn).tanh()
        return [(states[0] - new) * update + new]

    def forward(self, input, hx=None):
        return self._run(input, None if hx is None else [hx], 1)[0]


class LSTMCell(_Cell):
    """One step of an LSTM."""

    def __init__(self, input_size, hidden_size, bias=True, device=None, dtype=None):
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def _step(self, by_input, by_state, states):
        i, f, g, o = (by_input + by_state).chunk(4, 1)
        cell = f.sigmoid() * states[1] + i.sigmoid() * g.tanh()
        return [o.sigmoid() * cell.tanh(), cell]

    def forward(self, input, hx=None):
        return tuple(self._run(input, None if hx is None else list(hx), 2))
