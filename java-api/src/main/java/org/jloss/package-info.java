/**
 * Loss functions on libtorch tensors.
 *
 * <p>Each loss is an immutable record in the package of its family, say {@code
 * org.jloss.regression.MseLoss}. {@link org.jloss.Loss} says how losses are called, {@link
 * org.jloss.Losses} finds them by name, {@link org.jloss.Tensors} makes and reads tensors.
 */
@NullMarked
package org.jloss;

import org.jspecify.annotations.NullMarked;
