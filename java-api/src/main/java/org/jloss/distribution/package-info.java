/** Losses between probability distributions. */
@Family("distribution")
@NullMarked
package org.jloss.distribution;

import org.jloss.annotation.Family;
import org.jspecify.annotations.NullMarked;
