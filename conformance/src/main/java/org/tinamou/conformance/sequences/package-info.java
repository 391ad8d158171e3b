/**
 * The same random changes made to twin images by our tools and by the reference's: each side then
 * reads and checks what the other has written.
 *
 * <p>A {@code Sequence} is drawn from a seed as command lines; {@code Twins} plays it on both sides
 * and compares. Runs on the calling thread and in processes of the reference. Depends on the tools.
 * Start reading at {@code SequencesMain}.
 */
@NullMarked
package org.tinamou.conformance.sequences;

import org.jspecify.annotations.NullMarked;
