package org.jloss.python;

import org.graalvm.polyglot.HostAccess;

/** A hook that is in force until it is removed. */
public final class PyHook {
  private final Runnable undo;

  PyHook(Runnable undo) {
    this.undo = undo;
  }

  /** Removes it. */
  @HostAccess.Export
  public void remove() {
    undo.run();
  }
}
