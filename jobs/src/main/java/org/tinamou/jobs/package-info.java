/**
 * Long-running work on the block graph: jobs with their states, the verbs that change them, and
 * transactions over several.
 *
 * <p>Verbs are spoken and jobs are ended on the main loop; the work runs in a coroutine of the loop
 * of the node that the job holds first. Depends on {@code block}. Start reading at {@link
 * org.tinamou.jobs.Job}; a new kind of job extends {@link org.tinamou.jobs.BlockJob}.
 */
package org.tinamou.jobs;
