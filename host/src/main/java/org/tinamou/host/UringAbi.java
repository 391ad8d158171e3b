package org.tinamou.host;

/** Numbers and offsets of the io_uring interface, the same on every architecture. */
final class UringAbi {
  static final int SYS_SETUP = 425;
  static final int SYS_ENTER = 426;
  static final int SYS_REGISTER = 427;

  static final int SETUP_CQSIZE = 1 << 3;
  static final int SETUP_CLAMP = 1 << 4;
  static final int SETUP_R_DISABLED = 1 << 6;
  static final int SETUP_SUBMIT_ALL = 1 << 7;
  static final int SETUP_COOP_TASKRUN = 1 << 8;
  static final int SETUP_TASKRUN_FLAG = 1 << 9;
  static final int SETUP_SINGLE_ISSUER = 1 << 12;
  static final int SETUP_DEFER_TASKRUN = 1 << 13;
  static final int SETUP_NO_SQARRAY = 1 << 16;

  static final int FEAT_SINGLE_MMAP = 1;
  static final int FEAT_NODROP = 1 << 1;
  static final int FEAT_SUBMIT_STABLE = 1 << 2;
  static final int FEAT_EXT_ARG = 1 << 8;

  /** Came with Linux 5.13, as multishot polls did, which have no feature bit of their own. */
  static final int FEAT_RSRC_TAGS = 1 << 10;

  static final int ENTER_GETEVENTS = 1;
  static final int ENTER_EXT_ARG = 1 << 3;

  static final int SQ_CQ_OVERFLOW = 1 << 1;
  static final int SQ_TASKRUN = 1 << 2;

  static final int REGISTER_BUFFERS = 0;
  static final int UNREGISTER_BUFFERS = 1;
  static final int REGISTER_FILES = 2;
  static final int UNREGISTER_FILES = 3;
  static final int REGISTER_FILES_UPDATE = 6;
  static final int REGISTER_ENABLE_RINGS = 12;

  static final int OP_NOP = 0;
  static final int OP_READV = 1;
  static final int OP_WRITEV = 2;
  static final int OP_FSYNC = 3;
  static final int OP_READ_FIXED = 4;
  static final int OP_WRITE_FIXED = 5;
  static final int OP_POLL_ADD = 6;
  static final int OP_POLL_REMOVE = 7;
  static final int OP_TIMEOUT = 11;
  static final int OP_TIMEOUT_REMOVE = 12;
  static final int OP_ASYNC_CANCEL = 14;
  static final int OP_FALLOCATE = 17;
  static final int OP_READ = 22;
  static final int OP_WRITE = 23;
  static final int OP_RECV = 27;
  static final int OP_MSG_RING = 40;

  static final int FSYNC_DATASYNC = 1;
  static final int POLL_ADD_MULTI = 1;

  static final long MMAP_RINGS = 0;
  static final long MMAP_SQES = 0x10000000L;

  static final int SQE_BYTES = 64;
  static final int CQE_BYTES = 16;

  /** {@code struct io_uring_params} with the offsets of its two tables. */
  static final int PARAMS_BYTES = 120;

  static final int PARAMS_SQ_ENTRIES = 0;
  static final int PARAMS_CQ_ENTRIES = 4;
  static final int PARAMS_FLAGS = 8;
  static final int PARAMS_FEATURES = 20;
  static final int PARAMS_SQ = 40;
  static final int PARAMS_CQ = 80;

  static final int SQ_HEAD = PARAMS_SQ;
  static final int SQ_TAIL = PARAMS_SQ + 4;
  static final int SQ_FLAGS = PARAMS_SQ + 16;
  static final int SQ_ARRAY = PARAMS_SQ + 24;

  static final int CQ_HEAD = PARAMS_CQ;
  static final int CQ_TAIL = PARAMS_CQ + 4;
  static final int CQ_CQES = PARAMS_CQ + 20;

  private UringAbi() {}
}
