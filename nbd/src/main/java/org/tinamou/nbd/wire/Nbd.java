package org.tinamou.nbd.wire;

/** The protocol's numbers. */
public final class Nbd {
  public static final int DEFAULT_PORT = 10809;

  /** The longest name, description or context, in bytes. */
  public static final int MAX_STRING_BYTES = 4096;

  /** The longest read or write, and the longest option. */
  public static final int MAX_TRANSFER_BYTES = 32 << 20;

  public static final long MAGIC = 0x4e42444d41474943L;
  public static final long OPTION_MAGIC = 0x49484156454F5054L;
  public static final long OLDSTYLE_MAGIC = 0x0000420281861253L;
  public static final long OPTION_REPLY_MAGIC = 0x0003e889045565a9L;

  /** Handshake flags, of the server and of the client. */
  public static final int FIXED_NEWSTYLE = 1;

  public static final int NO_ZEROES = 1 << 1;

  /** Zero bytes after an export's flags, unless both sides can do without. */
  public static final int RESERVED_BYTES = 124;

  // Options.
  public static final int OPT_EXPORT_NAME = 1;
  public static final int OPT_ABORT = 2;
  public static final int OPT_LIST = 3;
  public static final int OPT_STARTTLS = 5;
  public static final int OPT_INFO = 6;
  public static final int OPT_GO = 7;
  public static final int OPT_STRUCTURED_REPLY = 8;
  public static final int OPT_LIST_META_CONTEXT = 9;
  public static final int OPT_SET_META_CONTEXT = 10;
  public static final int OPT_EXTENDED_HEADERS = 11;

  // Replies to options.
  public static final int REP_ACK = 1;
  public static final int REP_SERVER = 2;
  public static final int REP_INFO = 3;
  public static final int REP_META_CONTEXT = 4;
  public static final int REP_ERR_BIT = 1 << 31;
  public static final int REP_ERR_UNSUP = REP_ERR_BIT | 1;
  public static final int REP_ERR_POLICY = REP_ERR_BIT | 2;
  public static final int REP_ERR_INVALID = REP_ERR_BIT | 3;
  public static final int REP_ERR_PLATFORM = REP_ERR_BIT | 4;
  public static final int REP_ERR_TLS_REQD = REP_ERR_BIT | 5;
  public static final int REP_ERR_UNKNOWN = REP_ERR_BIT | 6;
  public static final int REP_ERR_SHUTDOWN = REP_ERR_BIT | 7;
  public static final int REP_ERR_BLOCK_SIZE_REQD = REP_ERR_BIT | 8;
  public static final int REP_ERR_TOO_BIG = REP_ERR_BIT | 9;
  public static final int REP_ERR_EXT_HEADER_REQD = REP_ERR_BIT | 10;

  // Items of information about an export.
  public static final int INFO_EXPORT = 0;
  public static final int INFO_NAME = 1;
  public static final int INFO_DESCRIPTION = 2;
  public static final int INFO_BLOCK_SIZE = 3;

  // Flags of an export.
  public static final int HAS_FLAGS = 1;
  public static final int READ_ONLY = 1 << 1;
  public static final int SEND_FLUSH = 1 << 2;
  public static final int SEND_FUA = 1 << 3;
  public static final int ROTATIONAL = 1 << 4;
  public static final int SEND_TRIM = 1 << 5;
  public static final int SEND_WRITE_ZEROES = 1 << 6;
  public static final int SEND_DF = 1 << 7;
  public static final int CAN_MULTI_CONN = 1 << 8;
  public static final int SEND_RESIZE = 1 << 9;
  public static final int SEND_CACHE = 1 << 10;
  public static final int SEND_FAST_ZERO = 1 << 11;
  public static final int BLOCK_STAT_PAYLOAD = 1 << 12;

  // Commands.
  public static final int CMD_READ = 0;
  public static final int CMD_WRITE = 1;
  public static final int CMD_DISC = 2;
  public static final int CMD_FLUSH = 3;
  public static final int CMD_TRIM = 4;
  public static final int CMD_CACHE = 5;
  public static final int CMD_WRITE_ZEROES = 6;
  public static final int CMD_BLOCK_STATUS = 7;

  // Flags of commands.
  public static final int FLAG_FUA = 1;
  public static final int FLAG_NO_HOLE = 1 << 1;
  public static final int FLAG_DF = 1 << 2;
  public static final int FLAG_REQ_ONE = 1 << 3;
  public static final int FLAG_FAST_ZERO = 1 << 4;
  public static final int FLAG_PAYLOAD_LEN = 1 << 5;

  public static final int REQUEST_MAGIC = 0x25609513;
  public static final int EXTENDED_REQUEST_MAGIC = 0x21e41c71;
  public static final int SIMPLE_REPLY_MAGIC = 0x67446698;
  public static final int STRUCTURED_REPLY_MAGIC = 0x668e33ef;
  public static final int EXTENDED_REPLY_MAGIC = 0x6e8a278c;

  public static final int REQUEST_BYTES = 28;
  public static final int EXTENDED_REQUEST_BYTES = 32;
  public static final int SIMPLE_REPLY_BYTES = 16;
  public static final int STRUCTURED_REPLY_BYTES = 20;
  public static final int EXTENDED_REPLY_BYTES = 32;

  /** In a chunk: the reply ends with it. */
  public static final int CHUNK_DONE = 1;

  // Kinds of chunks.
  public static final int CHUNK_NONE = 0;
  public static final int CHUNK_OFFSET_DATA = 1;
  public static final int CHUNK_OFFSET_HOLE = 2;
  public static final int CHUNK_BLOCK_STATUS = 5;
  public static final int CHUNK_BLOCK_STATUS_EXT = 6;
  public static final int CHUNK_ERROR_BIT = 1 << 15;
  public static final int CHUNK_ERROR = CHUNK_ERROR_BIT | 1;
  public static final int CHUNK_ERROR_OFFSET = CHUNK_ERROR_BIT | 2;

  // What base:allocation tells.
  public static final int STATE_HOLE = 1;
  public static final int STATE_ZERO = 1 << 1;

  public static final String BASE_ALLOCATION = "base:allocation";
  public static final String ALLOCATION_DEPTH = "qemu:allocation-depth";
  public static final String DIRTY_BITMAP = "qemu:dirty-bitmap:";

  private Nbd() {}

  /** An option's name in messages. */
  public static String optionName(int option) {
    return switch (option) {
      case OPT_EXPORT_NAME -> "export name";
      case OPT_ABORT -> "abort";
      case OPT_LIST -> "list";
      case OPT_STARTTLS -> "starttls";
      case OPT_INFO -> "info";
      case OPT_GO -> "go";
      case OPT_STRUCTURED_REPLY -> "structured reply";
      case OPT_LIST_META_CONTEXT -> "list meta context";
      case OPT_SET_META_CONTEXT -> "set meta context";
      case OPT_EXTENDED_HEADERS -> "extended headers";
      default -> "<unknown>";
    };
  }

  /** The name of an option's reply in messages. */
  public static String replyName(int reply) {
    return switch (reply) {
      case REP_ACK -> "ack";
      case REP_SERVER -> "server";
      case REP_INFO -> "info";
      case REP_META_CONTEXT -> "meta context";
      case REP_ERR_UNSUP -> "unsupported";
      case REP_ERR_POLICY -> "denied by policy";
      case REP_ERR_INVALID -> "invalid";
      case REP_ERR_PLATFORM -> "platform lacks support";
      case REP_ERR_TLS_REQD -> "TLS required";
      case REP_ERR_UNKNOWN -> "export unknown";
      case REP_ERR_SHUTDOWN -> "server shutting down";
      case REP_ERR_BLOCK_SIZE_REQD -> "block size required";
      case REP_ERR_TOO_BIG -> "option payload too big";
      case REP_ERR_EXT_HEADER_REQD -> "extended headers required";
      default -> "<unknown>";
    };
  }

  /** A command's name in messages. */
  public static String commandName(int command) {
    return switch (command) {
      case CMD_READ -> "read";
      case CMD_WRITE -> "write";
      case CMD_DISC -> "disconnect";
      case CMD_FLUSH -> "flush";
      case CMD_TRIM -> "trim";
      case CMD_CACHE -> "cache";
      case CMD_WRITE_ZEROES -> "write zeroes";
      case CMD_BLOCK_STATUS -> "block status";
      default -> "<unknown>";
    };
  }
}
