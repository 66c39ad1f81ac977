package org.jloss.selfsupervised;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.bytedeco.pytorch.ScalarTypeOptional;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.jloss.Memory;
import org.jloss.MemoryBudget;
import org.jloss.NativeLibrary;
import org.jloss.Parameters;
import org.jloss.Tensors;
import org.jloss.annotation.Definition;
import org.jloss.annotation.Domain;
import org.jloss.annotation.Input;
import org.jloss.annotation.Range;
import org.jloss.annotation.Stateful;
import org.jloss.binding.Native;
import org.jloss.parity.BrokenFileException;
import org.jloss.parity.Safetensors;
import org.jloss.parity.TensorEntry;

/**
 * A ring of keys of past batches, the negatives of {@link InfoNceLoss}: {@code queue[(ptr + i) mod
 * K] = keys[i]}, then {@code ptr = (ptr + N) mod K}. Of more than K keys the last K remain.
 *
 * <p>It holds a state: close it, save it with the model. It begins with random rows of length 1,
 * drawn by libtorch's default generator. Keys are stored without their graph. Threads may share it;
 * a loss that reads the queue while another thread enqueues may see old and new keys mixed.
 *
 * <p>Source: He et al., Momentum Contrast, 2020; the wrap is that of pytorch_metric_learning's
 * CrossBatchMemory.
 */
@Definition(
    id = "negative_queue",
    formula = "queue[(ptr + i) mod K] = keys[i]; ptr = (ptr + N) mod K",
    source = "He et al. 2020",
    twiceDifferentiable = false)
@Stateful(options = NegativeQueue.Options.class)
@Input(name = "keys", shape = "N,D", domain = Domain.EMBEDDING)
@Input(name = "queue", shape = "K,D", domain = Domain.EMBEDDING)
@Input(name = "ptr", shape = "()", domain = Domain.LABEL)
public final class NegativeQueue implements Memory {

  /**
   * The parameters.
   *
   * @param size how many keys there is room for, K: at least 1
   * @param dim the length of a key, D: at least 1
   */
  public record Options(@Range(min = 1) long size, @Range(min = 1) long dim) {
    /** Checks the parameters. */
    public Options {
      Parameters.check(NegativeQueue.class, size, dim);
    }

    /** The default size, and keys of length 1: the length is to be given. */
    public Options() {
      this(65536, 1);
    }
  }

  private final ReentrantLock lock = new ReentrantLock();
  private final Tensor queue;
  private final Tensor pointer;

  private NegativeQueue(Tensor queue, Tensor pointer) {
    this.queue = queue;
    this.pointer = pointer;
  }

  /** A queue of float32 keys with these parameters. */
  public NegativeQueue(Options options) {
    this(randomRows(options.size(), options.dim()), position(0));
  }

  /** A queue of {@code size} float32 keys of length {@code dim}. */
  public NegativeQueue(long size, long dim) {
    this(new Options(size, dim));
  }

  /**
   * A queue that begins with a copy of these keys.
   *
   * @param keys the state {@code (K,D)}, of any floating dtype
   * @param position where the next key goes, in {@code [0, K)}
   */
  public static NegativeQueue of(Tensor keys, long position) {
    NativeLibrary.load();
    if (keys.isNull()) {
      throw new IllegalStateException(
          "negative_queue: expected queue to be open, got a closed tensor");
    }
    if (!keys.is_floating_point()) {
      throw new UnsupportedOperationException(
          "negative_queue: expected queue to be floating, got " + keys.scalar_type().intern());
    }
    if (keys.dim() != 2 || keys.size(0) < 1) {
      throw new IllegalArgumentException(
          "negative_queue: expected queue of shape [K, D] with K >= 1, got "
              + Arrays.toString(keys.shape()));
    }
    if (position < 0 || position >= keys.size(0)) {
      throw new IndexOutOfBoundsException(
          "negative_queue: expected ptr in [0, " + keys.size(0) + "), got " + position);
    }
    try (Tensor detached = keys.detach()) {
      return new NegativeQueue(detached.clone(), position(position));
    }
  }

  private static Tensor randomRows(long size, long dim) {
    NativeLibrary.load();
    MemoryBudget.check(size > Long.MAX_VALUE / dim ? Long.MAX_VALUE : size * dim, Float.BYTES);
    try (Tensor rows = torch.randn(size, dim);
        Tensor squares = rows.mul(rows);
        Tensor sums = squares.sum(new long[] {1}, true, new ScalarTypeOptional());
        Tensor norms = sums.sqrt()) {
      return rows.div(norms);
    }
  }

  private static Tensor position(long value) {
    try (Tensor one = Tensors.of(new long[] {value})) {
      return one.squeeze();
    }
  }

  @Override
  public void compute(Tensor keys) {
    lock.lock();
    try {
      Native.negative_queue(keys, open(), pointer);
    } finally {
      lock.unlock();
    }
  }

  @Override
  public Tensor keys() {
    lock.lock();
    try {
      return new Tensor(open());
    } finally {
      lock.unlock();
    }
  }

  @Override
  public long position() {
    lock.lock();
    try {
      open();
      return (long) Tensors.item(pointer);
    } finally {
      lock.unlock();
    }
  }

  private Tensor open() {
    if (queue.isNull()) {
      throw new IllegalStateException("negative_queue: expected an open queue, got a closed one");
    }
    return queue;
  }

  /** Writes the state as tensors {@code queue} and {@code ptr}. */
  @Override
  public void save(Path file) throws IOException {
    lock.lock();
    try {
      Safetensors.write(
          file,
          Map.of("queue", TensorEntry.of(open()), "ptr", TensorEntry.of(pointer)),
          Map.of("memory", "negative_queue"));
    } finally {
      lock.unlock();
    }
  }

  /** Reads a state that {@link #save} wrote. */
  public static NegativeQueue load(Path file) throws IOException {
    final Map<String, TensorEntry> entries = Safetensors.read(file).entries();
    final TensorEntry queue = entries.get("queue");
    final TensorEntry ptr = entries.get("ptr");
    if (queue == null || ptr == null || ptr.numel() != 1) {
      throw new BrokenFileException(file, "expected tensors queue and ptr of a negative_queue");
    }
    try (Tensor keys = queue.toTensor()) {
      return of(keys, ptr.toLongs()[0]);
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      queue.close();
      pointer.close();
    } finally {
      lock.unlock();
    }
  }
}
