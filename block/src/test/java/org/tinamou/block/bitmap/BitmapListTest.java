package org.tinamou.block.bitmap;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.tinamou.block.BlockException;

final class BitmapListTest {
  private static final long MIB = 1L << 20;
  private static final String BUSY =
      "Bitmap 'b' is currently in use by another operation and cannot be used";

  private final BitmapList list = new BitmapList();

  private static String refusal(Executable call) {
    return assertThrows(BlockException.class, call).getMessage();
  }

  private DirtyBitmap create(String name) throws BlockException {
    return list.create(name, 16 * MIB, MIB);
  }

  @Test
  void namesAreUniqueNotEmptyAndBounded() throws BlockException {
    create("b");
    assertEquals("Bitmap already exists: b", refusal(() -> create("b")));
    assertEquals("Bitmap name cannot be empty", refusal(() -> create("")));
    create("x".repeat(1023));
    String tooLong = "x".repeat(1024);
    assertEquals("Bitmap name too long: " + tooLong, refusal(() -> create(tooLong)));
    assertEquals("Dirty bitmap 'nope' not found", refusal(() -> list.get("nope")));
    assertEquals(2, list.all().size());
  }

  @Test
  void onlyEnabledBitmapsRecordWrites() throws BlockException {
    DirtyBitmap on = create("on");
    DirtyBitmap off = create("off");
    off.disable();
    list.mark(MIB, 1);
    assertEquals(MIB, on.countBytes());
    assertEquals(0, off.countBytes());
    off.enable();
    on.disable();
    list.mark(3 * MIB, 2 * MIB);
    assertEquals(MIB, on.countBytes());
    assertEquals(2 * MIB, off.countBytes());
    assertFalse(list.isIdle());
    off.disable();
    assertTrue(list.isIdle());
  }

  @Test
  void theStateSaysWhatIsForbidden() throws BlockException {
    DirtyBitmap bitmap = create("b");
    bitmap.setPersistent(true);
    bitmap.setInconsistent();
    String inconsistent = "Bitmap 'b' is inconsistent and cannot be used";
    BlockException refused =
        assertThrows(BlockException.class, () -> bitmap.checkUsable(DirtyBitmap.Use.READ));
    assertEquals(inconsistent, refused.getMessage());
    assertEquals("Try block-dirty-bitmap-remove to delete this bitmap from disk", refused.hint());
    bitmap.checkUsable(DirtyBitmap.Use.REMOVE);
    bitmap.setReadOnly(true);
    String readOnly = "Bitmap 'b' is readonly and cannot be modified";
    assertEquals(readOnly, refusal(() -> bitmap.checkUsable(DirtyBitmap.Use.MODIFY)));
    assertEquals(readOnly, refusal(() -> bitmap.checkUsable(DirtyBitmap.Use.REMOVE)));
    assertEquals(inconsistent, refusal(() -> bitmap.checkUsable(DirtyBitmap.Use.READ)));
    bitmap.setBusy(true);
    for (DirtyBitmap.Use use : DirtyBitmap.Use.values()) {
      assertEquals(BUSY, refusal(() -> bitmap.checkUsable(use)));
    }
  }

  @Test
  void aBitmapThatCannotBeWrittenIsStillAMergeSource() throws BlockException {
    DirtyBitmap source = create("b");
    source.mark(0, 1);
    source.setReadOnly(true);
    DirtyBitmap target = create("y");
    target.merge(source);
    assertEquals(MIB, target.countBytes());
    assertEquals(
        "Bitmap 'b' is readonly and cannot be modified", refusal(() -> source.merge(target)));
    assertThrows(IllegalStateException.class, () -> source.mark(0, 1));
  }

  @Test
  void whileFrozenTheSuccessorRecords() throws BlockException {
    DirtyBitmap bitmap = create("b");
    DirtyBitmap other = create("other");
    list.mark(0, 1);
    DirtyBitmap successor = list.createSuccessor(bitmap);
    list.mark(2 * MIB, 1);
    assertEquals(MIB, bitmap.countBytes());
    assertEquals(MIB, successor.countBytes());
    assertEquals(
        List.of(
            new BitmapInfo(null, true, false, false, false, MIB, MIB),
            new BitmapInfo("other", true, false, false, false, MIB, 2 * MIB),
            new BitmapInfo("b", true, true, false, false, MIB, MIB)),
        list.info());
    assertEquals(BUSY, refusal(() -> list.createSuccessor(bitmap)));
    assertEquals(BUSY, refusal(() -> bitmap.merge(other)));
    assertEquals(BUSY, refusal(() -> other.merge(bitmap)));
    assertThrows(IllegalStateException.class, () -> list.remove(bitmap));
  }

  @Test
  void afterSuccessTheSuccessorIsTheBitmap() throws BlockException {
    DirtyBitmap bitmap = create("b");
    bitmap.setPersistent(true);
    list.mark(0, 4 * MIB);
    list.createSuccessor(bitmap);
    list.mark(9 * MIB, 1);
    DirtyBitmap now = list.abdicate(bitmap);
    assertSame(now, list.get("b"));
    assertTrue(now.isPersistent());
    assertTrue(now.isEnabled());
    assertEquals(MIB, now.countBytes());
    assertEquals(1, list.all().size());
    list.remove(now);
    assertNull(list.find("b"));
  }

  @Test
  void afterFailureTheBitmapHasBoth() throws BlockException {
    DirtyBitmap bitmap = create("b");
    list.mark(0, 4 * MIB);
    DirtyBitmap successor = list.createSuccessor(bitmap);
    list.mark(9 * MIB, 1);
    successor.disable();
    list.reclaim(bitmap);
    assertEquals(5 * MIB, bitmap.countBytes());
    assertFalse(bitmap.isBusy());
    assertFalse(bitmap.isEnabled(), "as the successor was");
    assertEquals(List.of(bitmap), list.all());
  }

  @Test
  void aDisabledBitmapHasADisabledSuccessor() throws BlockException {
    DirtyBitmap bitmap = create("b");
    bitmap.disable();
    list.createSuccessor(bitmap);
    list.mark(0, 1);
    assertFalse(bitmap.isRecording());
    list.reclaim(bitmap);
    assertEquals(0, bitmap.countBytes());
    assertFalse(bitmap.isEnabled());
  }

  @Test
  void resizingReachesEveryBitmap() throws BlockException {
    DirtyBitmap bitmap = create("b");
    list.mark(0, 16 * MIB);
    DirtyBitmap successor = list.createSuccessor(bitmap);
    list.mark(15 * MIB, 1);
    list.resize(4 * MIB);
    assertEquals(4 * MIB, bitmap.countBytes());
    assertEquals(0, successor.countBytes());
  }
}
