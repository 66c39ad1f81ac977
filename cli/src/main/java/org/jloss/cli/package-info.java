/** The {@code jloss} command. */
@NullMarked
package org.jloss.cli;

import org.jspecify.annotations.NullMarked;
