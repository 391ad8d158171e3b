/**
 * Random sequences of requests to images: played by our tools and by the reference's, compared.
 *
 * <p>Runs on the thread of whoever asks; our tools run in this program, the reference's in
 * processes. May depend on everything. Start reading at {@link
 * org.tinamou.conformance.sequences.SequenceRun}.
 */
@org.jspecify.annotations.NullMarked
package org.tinamou.conformance.sequences;
