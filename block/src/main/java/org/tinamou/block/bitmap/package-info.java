/**
 * Dirty bitmaps: which parts of a node were written; offsets go in from writers, dirty areas come
 * out to jobs, exports and image formats.
 *
 * <p>Marking and looking work on any thread; creating, freezing and removing belongs to the main
 * loop. Depends on {@code base} and on the block layer's error type only. Start reading at {@link
 * org.tinamou.block.bitmap.DirtyBitmap}; a node keeps its bitmaps in a {@link
 * org.tinamou.block.bitmap.BitmapList}.
 */
package org.tinamou.block.bitmap;
