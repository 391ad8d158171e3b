package org.tinamou.tools.nbd;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.drivers.protocol.file.CacheMode;
import org.tinamou.nbd.wire.Nbd;
import org.tinamou.objects.authz.Authorization;
import org.tinamou.objects.tls.TlsCredentials;
import org.tinamou.qapi.OptionException;
import org.tinamou.tools.cli.ToolException;
import org.tinamou.tools.cli.UserObjects;
import org.tinamou.tools.image.OpenRequest;
import org.tinamou.tools.image.SnapshotChoice;

/** What the command line asks for. */
final class NbdOptions {
  static final String DEFAULT_BIND = "0.0.0.0";
  private static final long MAX_OFFSET = Long.MAX_VALUE;

  @Nullable String port;
  @Nullable String bind;
  @Nullable String socket;
  int shared = 1;
  boolean persistent;
  boolean verbose;
  @Nullable String exportName;
  @Nullable String description;
  long handshakeSeconds = 10;
  long offsetBytes;
  boolean allocationDepth;
  final List<String> bitmaps = new ArrayList<>();
  boolean list;

  /** A device of the kernel to be given the image. */
  @Nullable String device;

  /** Whether the operand is such a device, to be taken from its server. */
  boolean disconnect;

  @Nullable String tlsCredentials;
  @Nullable String tlsHostname;
  @Nullable String tlsAuthorization;
  boolean fork;
  boolean stdio;
  @Nullable String pidFile;
  @Nullable String format;
  boolean readOnly;
  boolean snapshot;
  @Nullable SnapshotChoice loadSnapshot;
  boolean imageOptions;
  final UserObjects objects = new UserObjects();
  private CacheMode cache = CacheMode.WRITEBACK;
  private boolean cacheGiven;
  private boolean aioGiven;
  private boolean nativeAio;
  private boolean discardGiven;
  private boolean unmap;
  private String detectZeroes = "off";

  /** Whether something was said that is about an image of our own. */
  boolean servesImage() {
    return exportName != null
        || description != null
        || !bitmaps.isEmpty()
        || allocationDepth
        || offsetBytes != 0
        || persistent
        || pidFile != null
        || device != null
        || disconnect
        || loadSnapshot != null;
  }

  void cache(String mode) throws ToolException {
    if (cacheGiven) {
      throw new ToolException("-n and --cache can only be specified once");
    }
    cacheGiven = true;
    CacheMode parsed = CacheMode.parse(mode);
    if (parsed == null) {
      throw new ToolException("Invalid cache mode `" + mode + "'");
    }
    cache = parsed;
  }

  void aio(String mode) throws ToolException {
    if (aioGiven) {
      throw new ToolException("--aio can only be specified once");
    }
    aioGiven = true;
    switch (mode) {
      case "native" -> nativeAio = true;
      case "threads", "io_uring" -> nativeAio = false;
      default -> throw new ToolException("Invalid aio mode '" + mode + "'");
    }
  }

  void discard(String mode) throws ToolException {
    if (discardGiven) {
      throw new ToolException("--discard can only be specified once");
    }
    discardGiven = true;
    switch (mode) {
      case "ignore", "off" -> unmap = false;
      case "unmap", "on" -> unmap = true;
      default -> throw new ToolException("Invalid discard mode `" + mode + "'");
    }
  }

  void detectZeroes(String mode) throws ToolException {
    switch (mode) {
      case "off", "on" -> detectZeroes = mode;
      case "unmap" -> {
        if (!unmap) {
          throw new ToolException(
              "setting detect-zeroes to unmap is not allowed without setting discard operation to"
                  + " unmap");
        }
        detectZeroes = mode;
      }
      default ->
          throw new ToolException(
              "Failed to parse detect_zeroes mode: invalid parameter value: " + mode);
    }
  }

  void offset(String text) throws ToolException {
    offsetBytes = number(text, MAX_OFFSET, "Invalid offset '" + text + "'");
  }

  void shared(String text) throws ToolException {
    shared = (int) number(text, Integer.MAX_VALUE, "Invalid shared device number '" + text + "'");
  }

  void handshakeLimit(String text) throws ToolException {
    handshakeSeconds = number(text, 1_000_000, "Invalid handshake limit '" + text + "'");
  }

  void exportName(String text) throws ToolException {
    exportName = shortText(text, "export name");
  }

  void description(String text) throws ToolException {
    description = shortText(text, "export description");
  }

  private static String shortText(String text, String what) throws ToolException {
    if (text.getBytes(StandardCharsets.UTF_8).length > Nbd.MAX_STRING_BYTES) {
      throw new ToolException(what + " '" + text + "' too long");
    }
    return text;
  }

  private static long number(String text, long most, String refusal) throws ToolException {
    try {
      boolean hex = text.startsWith("0x") || text.startsWith("0X");
      long value = hex ? Long.parseLong(text.substring(2), 16) : Long.parseLong(text);
      if (value >= 0 && value <= most) {
        return value;
      }
    } catch (NumberFormatException e) {
      throw new ToolException(refusal);
    }
    throw new ToolException(refusal);
  }

  /** The credentials to use, or null for none. */
  @Nullable TlsCredentials credentials(TlsCredentials.Endpoint side) throws ToolException {
    String id = tlsCredentials;
    if (id == null) {
      if (tlsAuthorization != null) {
        throw new ToolException("--tls-authz is not permitted without --tls-creds");
      }
      if (tlsHostname != null) {
        throw new ToolException("--tls-hostname is not permitted without --tls-creds");
      }
      return null;
    }
    if (list && tlsAuthorization != null) {
      throw new ToolException("TLS authorization is incompatible with export list");
    }
    if (!list && tlsHostname != null) {
      throw new ToolException("TLS hostname is only supported with export list");
    }
    try {
      return TlsCredentials.find(objects.registry(), id, side);
    } catch (OptionException e) {
      throw new ToolException("Failed to get TLS creds: " + e.getMessage());
    }
  }

  /** Who may come, or null for everybody whom the credentials let in. */
  @Nullable Authorization authorization() throws ToolException {
    String id = tlsAuthorization;
    if (id == null) {
      return null;
    }
    if (objects.registry().find(id) instanceof Authorization found) {
      return found;
    }
    throw new ToolException("Cannot find authz object with id '" + id + "'");
  }

  /** How the image is to be opened. */
  OpenRequest request(String file) {
    boolean writable = !readOnly;
    String extra = detectZeroes.equals("off") ? "" : "detect-zeroes=" + detectZeroes;
    boolean append = imageOptions && !extra.isEmpty();
    String name = append ? file + "," + extra : file;
    OpenRequest request =
        writable
            ? OpenRequest.writing(name, format, cache)
            : OpenRequest.reading(name, format, cache);
    return request
        .namedByOptions(imageOptions)
        .withOptions(imageOptions ? "" : extra)
        .ignoringDiscard(!unmap)
        .keepingChangesApart(snapshot);
  }

  boolean usesNativeAio() {
    return nativeAio;
  }
}
