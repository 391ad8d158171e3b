/**
 * What can be recorded of the block layer while it works: events of the JDK's Flight Recorder,
 * which cost nothing until a recording asks for them ({@link org.tinamou.block.trace.Trace}).
 *
 * <p>Any thread. Depends on {@code jdk.jfr} and the annotations of {@code aio}. Start reading at
 * {@link org.tinamou.block.trace.RequestEvent}.
 */
package org.tinamou.block.trace;
