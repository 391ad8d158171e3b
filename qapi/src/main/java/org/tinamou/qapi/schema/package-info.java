/**
 * The schema: one source, in {@code *.schema} files beside these classes, for every command, event
 * and type of the control protocol and for the options of command lines. Texts go in once; after
 * that, values are checked against it, typed and put in order, and {@code query-qmp-schema} is
 * answered from it.
 *
 * <p>Everything is immutable once loaded, so any thread may use it; nothing blocks. Depends on
 * {@link org.tinamou.qapi} only. Start reading at {@link org.tinamou.qapi.schema.Schema}, then
 * {@code nodes.schema}; {@link org.tinamou.qapi.schema.SchemaText} says how such files are written.
 */
package org.tinamou.qapi.schema;
