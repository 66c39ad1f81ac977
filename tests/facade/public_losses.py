"""Loss modules of public libraries, unmodified, on PyTorch or on jloss: the same seeds, the same numbers.

    python public_losses.py SITE_PACKAGES [NAME...]
    ./jloss python --read SITE_PACKAGES public_losses.py SITE_PACKAGES [NAME...]

Prints a line a loss: its value, then for each tensor with a gradient the sums of the gradient and of its
magnitude.
"""

import importlib
import importlib.machinery
import math
import sys
import traceback
import types

import torch

BOX = [("torchvision.ops.giou_loss", "generalized_box_iou_loss"),
       ("torchvision.ops.diou_loss", "distance_box_iou_loss"),
       ("torchvision.ops.ciou_loss", "complete_box_iou_loss")]  # fmt: skip


def open_libraries(site):
    """Packages without their __init__, which would import all of the library and its own needs."""
    sys.path.append(site)
    for name in ("segmentation_models_pytorch", "kornia", "kornia.core", "kornia.losses", "pytorch_metric_learning",
                 "torchvision", "torchvision.ops"):  # fmt: skip
        package = module(name)
        package.__path__ = [site + "/" + name.replace(".", "/")]
        package.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
        package.__spec__.submodule_search_locations = package.__path__
    module("torchvision.utils", _log_api_usage_once=lambda *args: None)
    # Imported by the libraries; of NumPy these losses call functions of numbers alone.
    numpy = {**{k: v for k, v in vars(math).items() if k[0] != "_"}, "deg2rad": math.radians, "random": None,
             "ndarray": type("ndarray", (), {})}  # fmt: skip
    for name, members in {"numpy": numpy, "scipy": {}, "scipy.stats": {}, "scipy.special": {},
                          "tqdm": {"tqdm": iter}}.items():  # fmt: skip
        try:
            importlib.import_module(name)
        except ImportError:
            module(name, **members)


def module(name, **members):
    made = types.ModuleType(name)
    made.__dict__.update(members)
    sys.modules[name] = made
    parent, _, last = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], last, made)
    return made


def made(module, name, *args, **kwargs):
    """A loss module."""
    return lambda: getattr(importlib.import_module(module), name)(*args, **kwargs)


def smp(name, *args, **kwargs):
    return made("segmentation_models_pytorch.losses", name, *args, **kwargs)


def kornia(part, name, *args, **kwargs):
    return made("kornia.losses." + part, name, *args, **kwargs)


def pml(part, name, *args, **kwargs):
    return made("pytorch_metric_learning.losses." + part, name, *args, **kwargs)


def function(module, name, **kwargs):
    """A loss function with some options."""
    return lambda: lambda *tensors: getattr(importlib.import_module(module), name)(*tensors, **kwargs)


def leaf(*shape):
    return torch.randn(*shape, requires_grad=True)


def pair():
    return leaf(3, 7), torch.randn(3, 7)


def classes():
    return leaf(2, 4, 6, 5), torch.randint(0, 4, (2, 6, 5))


def mask():
    return leaf(2, 1, 6, 5), torch.randint(0, 2, (2, 1, 6, 5)).float()


def embeddings():
    return leaf(12, 8), torch.randint(0, 4, (12,))


def views():
    return leaf(12, 8), torch.randn(12, 8)


def boxes():
    a, b = (torch.cat([x[:, :2], x[:, :2] + x[:, 2:] + 0.1], 1) for x in (torch.rand(5, 4), torch.rand(5, 4)))
    return a.requires_grad_(), b


CASES = {
    "smp.DiceLoss": (smp("DiceLoss", "multiclass"), classes),
    "smp.DiceLoss binary": (smp("DiceLoss", "binary", log_loss=True, smooth=1.0), mask),
    "smp.JaccardLoss": (smp("JaccardLoss", "multiclass"), classes),
    "smp.FocalLoss": (smp("FocalLoss", "multiclass", gamma=1.5), classes),
    "smp.LovaszLoss": (smp("LovaszLoss", "multiclass"), classes),
    "smp.SoftBCEWithLogitsLoss": (smp("SoftBCEWithLogitsLoss", smooth_factor=0.1), mask),
    "smp.SoftCrossEntropyLoss": (smp("SoftCrossEntropyLoss", smooth_factor=0.1), classes),
    "smp.TverskyLoss": (smp("TverskyLoss", "multiclass", alpha=0.3, beta=0.7), classes),
    "kornia.DiceLoss": (kornia("dice", "DiceLoss"), classes),
    "kornia.FocalLoss": (kornia("focal", "FocalLoss", alpha=0.5, gamma=2.0, reduction="mean"), classes),
    "kornia.TverskyLoss": (kornia("tversky", "TverskyLoss", alpha=0.5, beta=0.5), classes),
    "kornia.LovaszSoftmaxLoss": (kornia("lovasz_softmax", "LovaszSoftmaxLoss"), classes),
    "kornia.CharbonnierLoss": (kornia("charbonnier", "CharbonnierLoss", reduction="mean"), pair),
    "kornia.WelschLoss": (kornia("welsch", "WelschLoss", reduction="sum"), pair),
    "kornia.CauchyLoss": (kornia("cauchy", "CauchyLoss", reduction="mean"), pair),
    "kornia.TotalVariation": (kornia("total_variation", "TotalVariation"), lambda: (leaf(2, 3, 5, 5),)),
    "torchvision.sigmoid_focal_loss": (
        function("torchvision.ops.focal_loss", "sigmoid_focal_loss", reduction="mean"), mask),
    **{f"torchvision.{name}": (function(part, name, reduction="sum"), boxes) for part, name in BOX},
    "pml.ContrastiveLoss": (pml("contrastive_loss", "ContrastiveLoss"), embeddings),
    "pml.TripletMarginLoss": (pml("triplet_margin_loss", "TripletMarginLoss", margin=0.2, swap=True), embeddings),
    "pml.NTXentLoss": (pml("ntxent_loss", "NTXentLoss", temperature=0.2), embeddings),
    "pml.SupConLoss": (pml("supcon_loss", "SupConLoss"), embeddings),
    "pml.MultiSimilarityLoss": (pml("multi_similarity_loss", "MultiSimilarityLoss"), embeddings),
    "pml.CircleLoss": (pml("circle_loss", "CircleLoss"), embeddings),
    "pml.ArcFaceLoss": (pml("arcface_loss", "ArcFaceLoss", 4, 8), embeddings),
    "pml.CosFaceLoss": (pml("cosface_loss", "CosFaceLoss", 4, 8), embeddings),
    "pml.ProxyAnchorLoss": (pml("proxy_anchor_loss", "ProxyAnchorLoss", 4, 8), embeddings),
    "pml.SoftTripleLoss": (pml("soft_triple_loss", "SoftTripleLoss", 4, 8, centers_per_class=3), embeddings),
    "pml.VICRegLoss": (
        lambda: lambda a, b: pml("vicreg_loss", "VICRegLoss")()(a, ref_emb=b), views),
    "pml.AngularLoss": (pml("angular_loss", "AngularLoss"), embeddings),
    "pml.LiftedStructureLoss": (pml("lifted_structure_loss", "LiftedStructureLoss"), embeddings),
}  # fmt: skip


def numbers(name):
    torch.manual_seed(7)
    make, inputs = CASES[name]
    loss = make()
    tensors = inputs()
    value = loss(*tensors).sum()
    value.backward()
    leaves = [t for t in tensors if t.requires_grad]
    if isinstance(loss, torch.nn.Module):
        leaves += loss.parameters()
    return [value.item(), *(s.item() for t in leaves for s in (t.grad.sum(), t.grad.abs().sum()))]


if __name__ == "__main__":
    open_libraries(sys.argv[1])
    for name in sys.argv[2:] or CASES:
        try:
            print(name, *(f"{n:.9g}" for n in numbers(name)), sep="\t", flush=True)
        except Exception:
            traceback.print_exc()
