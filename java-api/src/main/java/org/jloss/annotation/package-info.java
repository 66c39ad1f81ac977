/** How a record describes a loss: what checks, docs, Python, the CLI and the tests read. */
@NullMarked
package org.jloss.annotation;

import org.jspecify.annotations.NullMarked;
