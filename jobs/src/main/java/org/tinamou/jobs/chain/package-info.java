/**
 * Jobs that shorten a chain of images: stream copies what shows through into an image above, commit
 * writes an image's data into one below; then the images between them leave the chain.
 *
 * <p>The copying runs in the job's loop, the chain is changed on the main loop. Depends on {@code
 * block} and {@code drivers}. Start reading at {@link org.tinamou.jobs.chain.CommitJob}; what is
 * committed from the top of a chain is a mirror ({@link org.tinamou.jobs.mirror.ActiveCommitJob}).
 */
package org.tinamou.jobs.chain;
