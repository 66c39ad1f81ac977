/** Regression losses: real predictions against real targets. */
@Family("regression")
@NullMarked
package org.jloss.regression;

import org.jloss.annotation.Family;
import org.jspecify.annotations.NullMarked;
