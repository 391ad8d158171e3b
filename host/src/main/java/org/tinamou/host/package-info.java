/**
 * System calls and kernel structures: memory segments go in, errno comes out.
 *
 * <p>Calls block the thread that makes them; nothing here knows of loops or coroutines. The only
 * room with restricted (native) calls; depends on {@code base}. Start reading at {@code LinuxFiles}
 * and {@code IoUring}.
 */
package org.tinamou.host;
