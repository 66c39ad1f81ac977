package org.jloss;

/** How a loss joins its terms to one value. */
public enum Reduction {
  /** Not at all: one value a term. */
  NONE,
  /** Their mean; what it divides by is in the documentation of the loss. */
  MEAN,
  /** Their sum. */
  SUM,
  /** Their sum divided by the size of the batch. */
  BATCHMEAN;

  /** The code of the native library. */
  public long code() {
    return ordinal();
  }
}
