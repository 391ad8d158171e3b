/**
 * A room with mistakes, which the architecture rules must find.
 *
 * <p>Nothing runs here. May depend on anything. Start reading at {@code RulesCanFailTest}.
 */
package org.tinamou.conformance.bad.base;
