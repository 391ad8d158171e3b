/**
 * Event loops and the coroutines that run on them: bottom halves, timers, descriptor readiness, I/O
 * completions and coroutine resumptions flow through here.
 *
 * <p>Each {@link org.tinamou.aio.AioContext} is turned by one thread, its home thread; what may be
 * called from elsewhere says so. Depends on {@code host} and {@code base}. Start reading at {@link
 * org.tinamou.aio.AioContext}, then {@link org.tinamou.aio.Coroutine} and {@link
 * org.tinamou.aio.Poller}.
 */
package org.tinamou.aio;
