package org.tinamou.testkit.mutant;

import java.util.List;

/** The planted bugs in what tools do to qcow2 images. */
final class ToolMutants {
  private ToolMutants() {}

  private static Mutant of(
      String name, String meaning, String file, String original, String replacement) {
    String workload = file.startsWith("luks") ? "luks-crash" : "qcow2-crash-tools";
    return new Mutant(
        name, meaning, "drivers", "drivers/format/" + file, original, replacement, workload);
  }

  static List<Mutant> list() {
    return List.of(
        of(
            "entries-before-packed-copies",
            "compacting changes entries before the packed pieces' copies are on the disk",
            "qcow2/PackedRelocation.java",
            """
                }
                file.flush();
                changeEntries();
            """,
            """
                }
                changeEntries();
            """),
        of(
            "table-before-data-file",
            "second-level tables do not wait for data that is in a file of its own",
            "qcow2/Qcow2Image.java",
            "isExternal() ? List.of(file, data()) : List.of(file)",
            "List.of(file)"),
        of(
            "bitmaps-unnamed-meanwhile",
            "the header names no directory of bitmaps while another one takes its place",
            "qcow2/BitmapPublication.java",
            "if (replaces && ",
            "if (false && replaces && "),
        of(
            "key-slot-before-key",
            "the header says that a slot has a key before the key is on the disk",
            "luks/KeySlots.java",
            """
                area.write(bytes(slot.firstSector()), made.material());
                area.flush();
                changeSlot(index, made.in(slot, slot.firstSector()));
            """,
            """
                changeSlot(index, made.in(slot, slot.firstSector()));
                area.write(bytes(slot.firstSector()), made.material());
                area.flush();
            """),
        of(
            "key-replaced-in-place",
            "a key is replaced where it is though there is room for another one",
            "luks/KeySlots.java",
            "before.active() && spare < 0 ? placeForAnother() : -1;",
            "-1;"),
        of(
            "key-slot-in-one-step",
            "a slot whose record lies in two sectors changes in both while it is in use",
            "luks/KeySlots.java",
            "    if (isChangedInTwoSectors(",
            "    if (false && isChangedInTwoSectors("),
        of(
            "key-slot-with-new-salt",
            "the only slot with a key gets a salt that lies in two sectors",
            "luks/KeySlots.java",
            "fields = place < 0 ? fields : fields.inOneSector(index, before);",
            ""),
        of(
            "snapshot-without-encryption",
            "the header forgets how an image is encrypted when a snapshot is applied",
            "qcow2/Qcow2Image.java",
            "fields.putInt(Qcow2Type.readHeader(file).encryption());",
            "fields.putInt(0);"));
  }
}
