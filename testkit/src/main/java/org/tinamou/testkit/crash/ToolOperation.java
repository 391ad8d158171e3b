package org.tinamou.testkit.crash;

import java.util.ArrayList;
import java.util.List;

/** What a tool does to an image. */
enum ToolOperation {
  WRITE,
  WRITE_PACKED,
  WRITE_ZEROES,
  DISCARD,
  SNAPSHOT_CREATE,
  SNAPSHOT_APPLY,
  SNAPSHOT_DELETE,
  AMEND_VERSION,
  AMEND_WIDTH,
  AMEND_LAZY,
  AMEND_SIZE,
  AMEND_DATA_FILE,
  AMEND_ADD_KEY,
  AMEND_REPLACE_KEY,
  AMEND_ERASE_KEY,
  GROW,
  GROW_FILLED,
  SHRINK,
  COMMIT,
  COMMIT_KEEPING,
  REBASE,
  REBASE_PACKED,
  REBASE_AWAY,
  REBASE_UNSAFE,
  BITMAP_ADD,
  BITMAP_REMOVE,
  BITMAP_CLEAR,
  BITMAP_ENABLE,
  BITMAP_DISABLE,
  BITMAP_MERGE,
  BITMAP_MERGE_FROM,
  COMPACT;

  /** An operation on an image that it can be done to. */
  record Case(ToolOperation operation, ToolKind kind) {}

  /** All there are. */
  static List<Case> cases() {
    List<Case> all = new ArrayList<>();
    for (ToolOperation operation : values()) {
      for (ToolKind kind : ToolKind.values()) {
        if (operation.suits(kind)) {
          all.add(new Case(operation, kind));
        }
      }
    }
    return all;
  }

  private boolean suits(ToolKind kind) {
    return switch (this) {
      case WRITE_PACKED, REBASE_PACKED -> kind.mayPack();
      case SNAPSHOT_CREATE, SNAPSHOT_APPLY, SNAPSHOT_DELETE -> kind.mayHaveSnapshots();
      case GROW_FILLED -> !kind.isEncrypted(); // the new part is noise, the reference's, too
      case AMEND_DATA_FILE -> kind.isExternal();
      case AMEND_ADD_KEY, AMEND_REPLACE_KEY, AMEND_ERASE_KEY -> kind.isLuks();
      case AMEND_LAZY, AMEND_WIDTH -> !kind.isOld();
      case AMEND_VERSION ->
          !kind.isExternal() && !kind.isExtended() && kind != ToolKind.NARROW; // all refused
      case COMMIT, COMMIT_KEEPING, REBASE, REBASE_AWAY, REBASE_UNSAFE -> kind.mayHaveBacking();
      case BITMAP_ADD,
          BITMAP_REMOVE,
          BITMAP_CLEAR,
          BITMAP_ENABLE,
          BITMAP_DISABLE,
          BITMAP_MERGE,
          BITMAP_MERGE_FROM ->
          !kind.isOld();
      default -> true;
    };
  }

  /** Whether it has to do with what is below the image. */
  boolean isOfChain() {
    return switch (this) {
      case COMMIT, COMMIT_KEEPING, REBASE, REBASE_PACKED, REBASE_AWAY, REBASE_UNSAFE -> true;
      default -> false;
    };
  }

  boolean isOfSnapshots() {
    return this == SNAPSHOT_CREATE || this == SNAPSHOT_APPLY || this == SNAPSHOT_DELETE;
  }

  boolean isOfBitmaps() {
    return name().startsWith("BITMAP");
  }

  /** Whether it reads the bitmaps of another image. */
  boolean readsSource() {
    return this == BITMAP_MERGE_FROM;
  }

  boolean changesSize() {
    return this == AMEND_SIZE || this == GROW || this == GROW_FILLED || this == SHRINK;
  }

  /** Whether it writes into the image below, too. */
  boolean writesBelow() {
    return this == COMMIT || this == COMMIT_KEEPING;
  }
}
