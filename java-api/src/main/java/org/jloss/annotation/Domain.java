package org.jloss.annotation;

/** What the values of a tensor mean, and so which values are legal. */
public enum Domain {
  /** Any real number. */
  REAL,
  /** Scores before a sigmoid or softmax: any real number. */
  LOGITS,
  /** In [0, 1]. */
  PROBABILITY,
  /** In [0, 1], summing to one along the class axis. */
  SIMPLEX,
  /** Logarithms of probabilities: not positive. */
  LOG_PROBABILITY,
  /** -1 or 1. */
  SIGN,
  /** 0 or 1. */
  BINARY,
  /** An int64 class number in [0, C), or the ignored one. */
  CLASS_INDEX,
  /** A class number, or a distribution over classes along the class axis. */
  CLASS_INDEX_OR_SIMPLEX,
  /** A factor: not negative. */
  WEIGHT,
  /** Vectors along the last axis. */
  EMBEDDING,
  /** An int64 label; equal labels belong together. */
  LABEL,
  /** Corners of a box: x1, y1, x2, y2 with {@code x1 <= x2} and {@code y1 <= y2}. */
  BOX_XYXY
}
