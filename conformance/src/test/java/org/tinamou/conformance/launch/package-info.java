/**
 * Tests of what the build leaves behind: the launcher in the root and the tools in dist/.
 *
 * <p>Processes are started and their words and exit codes read; plain JUnit threads. Needs dist/,
 * so it runs after packaging. Start reading at {@link
 * org.tinamou.conformance.launch.LaunchersDistTest}.
 */
package org.tinamou.conformance.launch;
