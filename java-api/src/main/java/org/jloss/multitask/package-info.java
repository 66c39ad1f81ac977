/** Several losses as one. */
@Family("multi_task")
@NullMarked
package org.jloss.multitask;

import org.jloss.annotation.Family;
import org.jspecify.annotations.NullMarked;
