package org.jloss.python;

import org.graalvm.polyglot.HostAccess;

/**
 * A dtype, layout, memory format or device type, by libtorch's number for it.
 *
 * @param kind which of them
 * @param code the number
 */
public record PyCode(Kind kind, long code) {
  /** What a number stands for. */
  public enum Kind {
    DTYPE,
    LAYOUT,
    MEMORY_FORMAT,
    DEVICE
  }

  static PyCode dtype(long code) {
    return new PyCode(Kind.DTYPE, code);
  }

  /** The number. */
  @HostAccess.Export
  @Override
  public long code() {
    return code;
  }
}
