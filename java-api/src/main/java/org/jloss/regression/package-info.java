/** Regression losses: real predictions against real targets. */
@NullMarked
package org.jloss.regression;

import org.jspecify.annotations.NullMarked;
