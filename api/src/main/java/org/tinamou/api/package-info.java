/**
 * Disk images for programs: requests and buffers in, data and what is known of it out.
 *
 * <p>Any thread but a loop's. Depends on {@code drivers} and {@code block}, of which nothing shows.
 * Start reading at {@link org.tinamou.api.VirtualDisk}.
 */
package org.tinamou.api;
