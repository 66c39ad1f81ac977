/** Classification losses: scores against classes, one of many or many at once. */
@NullMarked
package org.jloss.classification;

import org.jspecify.annotations.NullMarked;
