package org.jloss;

/**
 * How far two embeddings are apart. Cosine and dot are similarities, of which the larger is the
 * nearer: losses and miners turn the sign.
 */
public enum Distance {
  /** {@code ‖x - y‖}, with gradient 0 at 0. */
  EUCLIDEAN,
  /** {@code ‖x - y‖²}. */
  SQUARED_EUCLIDEAN,
  /** {@code x·y / (‖x‖ ‖y‖)}. */
  COSINE,
  /** {@code x·y}. */
  DOT,
  /** {@code var(x - y) / var(x)}, unbiased, x the anchor. */
  SNR
}
