"""The modules, each file read when one of its classes is first asked for."""

import importlib

_FILES = {
    "activation": "ReLU ReLU6 RReLU Hardtanh Hardsigmoid Sigmoid Tanh SiLU Mish Hardswish ELU CELU SELU GLU GELU "
    "Hardshrink LeakyReLU LogSigmoid Softplus Softshrink PReLU Softsign Tanhshrink Softmin Softmax Softmax2d "
    "LogSoftmax Threshold",
    "adaptive": "AdaptiveLogSoftmaxWithLoss",
    "attention": "MultiheadAttention TransformerEncoderLayer TransformerEncoder TransformerDecoderLayer "
    "TransformerDecoder Transformer",
    "batchnorm": "BatchNorm1d BatchNorm2d BatchNorm3d InstanceNorm1d InstanceNorm2d InstanceNorm3d",
    "container": "Sequential ModuleList ModuleDict ParameterList ParameterDict DataParallel",
    "conv": "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d",
    "distance": "CosineSimilarity PairwiseDistance",
    "dropout": "Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout",
    "flatten": "Flatten Unflatten",
    "fold": "Fold Unfold",
    "linear": "Identity Linear Bilinear",
    "loss": "L1Loss NLLLoss NLLLoss2d PoissonNLLLoss GaussianNLLLoss KLDivLoss MSELoss BCELoss BCEWithLogitsLoss "
    "HingeEmbeddingLoss MultiLabelMarginLoss SmoothL1Loss HuberLoss SoftMarginLoss CrossEntropyLoss "
    "MultiLabelSoftMarginLoss CosineEmbeddingLoss MarginRankingLoss MultiMarginLoss TripletMarginLoss "
    "TripletMarginWithDistanceLoss CTCLoss",
    "module": "Module",
    "normalization": "LayerNorm GroupNorm RMSNorm LocalResponseNorm",
    "padding": "ConstantPad1d ConstantPad2d ConstantPad3d ReflectionPad1d ReflectionPad2d ReflectionPad3d "
    "ReplicationPad1d ReplicationPad2d ReplicationPad3d ZeroPad1d ZeroPad2d ZeroPad3d CircularPad1d CircularPad2d "
    "CircularPad3d",
    "pooling": "MaxPool1d MaxPool2d MaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d AvgPool1d AvgPool2d AvgPool3d "
    "AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d "
    "LPPool1d LPPool2d LPPool3d FractionalMaxPool2d FractionalMaxPool3d",
    "rnn": "RNNBase RNN LSTM GRU RNNCell LSTMCell GRUCell",
    "sparse": "Embedding EmbeddingBag",
    "upsampling": "Upsample UpsamplingNearest2d UpsamplingBilinear2d PixelShuffle PixelUnshuffle ChannelShuffle",
}
_WHERE = {name: file for file, names in _FILES.items() for name in names.split()}
__all__ = list(_WHERE)


def __getattr__(name):
    file = _WHERE.get(name, name if name in _FILES or name == "utils" else None)
    if file is None:
        raise AttributeError(f"module 'torch.nn' has no attribute '{name}'", name=name)
    module = importlib.import_module(f"torch.nn.modules.{file}")
    if name not in _WHERE:
        return module
    found = globals()[name] = getattr(module, name)
    return found


def __dir__():
    return sorted([*_WHERE, *_FILES])
