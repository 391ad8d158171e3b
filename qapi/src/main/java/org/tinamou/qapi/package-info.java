/**
 * Text in, values out, and back: option lists ({@code a=b,c=d}), sizes ({@code 1.5G}) and JSON.
 *
 * <p>Everything is immutable or confined to its caller, so any thread may use it; nothing blocks or
 * touches the host. Depends on {@code base} only. Start reading at {@link
 * org.tinamou.qapi.OptionList}, {@link org.tinamou.qapi.OptionSchema} and {@link
 * org.tinamou.qapi.Json}; nested options of nodes are read by {@link
 * org.tinamou.qapi.OptionReader}, connections by {@link org.tinamou.qapi.JsonStream}.
 */
package org.tinamou.qapi;
