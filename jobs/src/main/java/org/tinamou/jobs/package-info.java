/**
 * Long-running work on the block graph: jobs with their states, the verbs that change them, and
 * transactions over several.
 *
 * <p>States change on the main loop; work runs in coroutines of the job's loop. Depends on {@code
 * block}.
 */
package org.tinamou.jobs;
