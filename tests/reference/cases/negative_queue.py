"""negative_queue: the ring buffer of MoCo, with the wrap of pytorch-metric-learning's
CrossBatchMemory where the size is no multiple of the batch."""
import torch

from harness import case, fixed, normal, realize, run

ORACLE = ("composed torch: queue[(ptr + i) % size] = keys[i] for the last size keys; "
          "ptr = (ptr + N) % size")
PEERS = ("pytorch_metric_learning",)
DIFFERENTIABLE = ()


def oracle(keys, queue, ptr, size, dim):
    count = len(keys)
    last = slice(max(count - size, 0), count)
    queue = queue.clone()
    queue[(ptr + torch.arange(count)[last]) % size] = keys[last]
    return {"queue": queue, "ptr": (ptr + count) % size}


def enqueue(name, n, k, d, ptr, **options):
    """n keys onto a queue (k, d) whose next place is ptr."""
    return case(name, {"keys": normal(n, d), "queue": normal(k, d), "ptr": fixed(ptr)}, size=k,
                dim=d, **options)


CASES = [
    *[enqueue(f"batch-{n}", n, n + 3, 5, 2) for n in (1, 3, 15, 17, 31, 33, 63, 65, 127)],
    *[enqueue(f"dim-{d}", 3, 7, d, 2) for d in (1, 15, 17, 33, 65, 127)],
    *[enqueue(f"batch-{n}", n, n + 3, 1, 2, dtypes=("float32",)) for n in (1000, 1025)],
    enqueue("one-element", 1, 4, 1, 2),
    enqueue("divides", 4, 12, 3, 8),
    enqueue("wraps", 5, 12, 3, 8),
    enqueue("wraps-odd", 17, 31, 9, 29),
    enqueue("last-place", 1, 12, 3, 11),
    enqueue("fills-up-to-end", 5, 12, 3, 7),
    enqueue("exactly-full", 12, 12, 3, 0),
    enqueue("exactly-full-wraps", 12, 12, 3, 5),
    enqueue("more-than-size", 17, 12, 3, 0),
    enqueue("more-than-size-wraps", 17, 12, 3, 9),
    enqueue("many-times-size", 40, 7, 3, 4),
    enqueue("size-1", 3, 1, 4, 0),
    enqueue("nothing", 0, 12, 3, 5, tags=["empty"]),
    enqueue("large", 130, 256, 64, 200, dtypes=("float32",)),
    *[enqueue(f"layout-{word}", 5, 12, 9, 10, layout={"keys": word})
      for word in ("transposed", "strided", "sliced", "expanded")],
]


def crosscheck():
    """One key after the other; CrossBatchMemory, which takes at most `size` at a time."""
    from pytorch_metric_learning.losses import ContrastiveLoss, CrossBatchMemory
    for entry in CASES:
        tensors = realize(entry, "negative_queue", torch.float32)
        queue, ptr, size = tensors["queue"].clone(), int(tensors["ptr"]), entry.parameters["size"]
        for row in tensors["keys"]:
            queue[ptr], ptr = row, (ptr + 1) % size
        ours = run(oracle, entry, torch.float32, "negative_queue")
        good = torch.equal(ours["queue"], queue) and int(ours["ptr"]) == ptr
        if len(tensors["keys"]) <= size:
            memory = CrossBatchMemory(ContrastiveLoss(), entry.parameters["dim"], size)
            memory.embedding_memory = tensors["queue"].clone()
            memory.queue_idx = int(tensors["ptr"])
            memory.add_to_memory(tensors["keys"], torch.zeros(len(tensors["keys"])).long(),
                                 len(tensors["keys"]))
            good = good and torch.equal(memory.embedding_memory, ours["queue"])
            good = good and memory.queue_idx == int(ours["ptr"])
        if not good:
            raise AssertionError(entry.name)
