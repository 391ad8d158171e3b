package org.tinamou.nbd.client;

import java.util.List;
import java.util.Map;
import org.tinamou.nbd.wire.Nbd;

/**
 * What a server says of an export, and what was agreed on about its use.
 *
 * @param flags of the export: {@link Nbd#READ_ONLY} and the others
 * @param minimumBlockBytes the smallest piece; 0 if the server does not say
 * @param preferredBlockBytes 0 if the server does not say
 * @param maximumBlockBytes the longest transfer; 0 if the server does not say
 * @param structured replies may come in chunks
 * @param extended headers are long
 * @param contexts the numbers of the contexts that were chosen, by name
 * @param offered the names of all contexts, if they were asked for
 */
public record ExportDetails(
    String name,
    String description,
    long sizeBytes,
    int flags,
    int minimumBlockBytes,
    int preferredBlockBytes,
    int maximumBlockBytes,
    boolean structured,
    boolean extended,
    Map<String, Integer> contexts,
    List<String> offered) {
  public boolean has(int flag) {
    return (flags & flag) != 0;
  }
}
