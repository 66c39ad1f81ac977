package org.jloss.python;

import org.graalvm.polyglot.HostAccess;

/**
 * A dtype, layout or memory format, by libtorch's number for it.
 *
 * @param code the number
 */
public record PyCode(long code) {
  /** The number. */
  @HostAccess.Export
  @Override
  public long code() {
    return code;
  }
}
