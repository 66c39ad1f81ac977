/**
 * Python scripts inside the JVM: {@link org.jloss.python.PythonBridge} runs them, with the losses
 * of this library as the Python package {@code jloss}.
 */
@NullMarked
package org.jloss.python;

import org.jspecify.annotations.NullMarked;
