package org.jloss.python;

import java.nio.file.Path;
import org.graalvm.polyglot.HostAccess;
import org.jloss.Memory;

/** A memory as scripts hold it. */
public final class PyMemory extends PySystem {
  private final ScriptFiles files;
  private final Memory memory;

  /**
   * A memory.
   *
   * @param owned whether to close it when no script can reach it
   */
  PyMemory(TensorPool pool, ScriptFiles files, Memory memory, boolean owned) {
    super(pool, memory, memory.spec());
    this.files = files;
    this.memory = memory;
    if (owned) {
      pool.track(this, memory::close);
    }
  }

  Memory memory() {
    return memory;
  }

  /** Puts keys in. */
  @HostAccess.Export
  public void enqueue(PyTensor keys) {
    Guard.run(
        () -> {
          pool.load();
          memory.enqueue(keys.tensor());
          return null;
        });
  }

  /** A handle on the state. */
  @HostAccess.Export
  public PyTensor keys() {
    return Guard.run(() -> pool.own(memory.keys()));
  }

  /** Where the next key goes. */
  @HostAccess.Export
  public long position() {
    return Guard.run(memory::position);
  }

  /** Writes the state to a file in a folder that is open for writing. */
  @HostAccess.Export
  public void save(String file) {
    Guard.run(
        () -> {
          memory.save(files.open(Path.of(file), true));
          return null;
        });
  }

  /** Frees the state. */
  @HostAccess.Export
  public void close() {
    Guard.run(
        () -> {
          memory.close();
          return null;
        });
  }
}
