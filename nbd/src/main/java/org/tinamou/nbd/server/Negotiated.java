package org.tinamou.nbd.server;

import java.util.List;

/**
 * What a handshake has led to.
 *
 * @param structured replies may come in chunks
 * @param extended headers are long
 * @param contexts what block status is to tell
 */
record Negotiated(
    NbdExport export, boolean structured, boolean extended, List<ActiveContext> contexts) {
  /** A context under the number that stands for it in replies. */
  record ActiveContext(int id, String name) {}
}
