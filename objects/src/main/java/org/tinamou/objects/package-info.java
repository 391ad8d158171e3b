/**
 * Named objects that users define: options go in, objects that others look up by their ids come
 * out.
 *
 * <p>Objects are made, changed and removed on the main loop. Depends on {@code aio} and {@code
 * qapi}. Start reading at {@link org.tinamou.objects.ObjectRegistry}.
 */
package org.tinamou.objects;
