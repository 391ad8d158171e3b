/**
 * What can be recorded of the block layer while it works: events of the JDK's Flight Recorder,
 * which cost next to nothing until a recording asks for them.
 *
 * <p>Any thread. Depends on {@code jdk.jfr} only. Start reading at {@link
 * org.tinamou.block.trace.RequestEvent}.
 */
package org.tinamou.block.trace;
