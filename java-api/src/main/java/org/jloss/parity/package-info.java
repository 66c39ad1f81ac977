/**
 * Parity with PyTorch: reading reference cases, comparing with them, and the report.
 *
 * <p>{@link org.jloss.parity.Safetensors} and {@link org.jloss.parity.TorchFile} read files that
 * may come from anywhere: every length and offset is checked before it is used, and whatever is
 * wrong ends in a {@link org.jloss.parity.BrokenFileException} of one line. Both map the file
 * instead of reading it, so a file must not be shortened while its entries are in use.
 *
 * <p>A {@link org.jloss.parity.ReferenceFile} holds cases of one loss as PyTorch computed them, an
 * {@link org.jloss.parity.Evaluator} computes the same with jloss, {@link
 * org.jloss.parity.Comparison} tells whether they agree and {@link org.jloss.parity.ParityReport}
 * says so in text, JSON or HTML.
 */
@NullMarked
package org.jloss.parity;

import org.jspecify.annotations.NullMarked;
