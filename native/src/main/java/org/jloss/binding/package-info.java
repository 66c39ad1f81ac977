/** The native methods, generated from the C++ headers. */
package org.jloss.binding;
