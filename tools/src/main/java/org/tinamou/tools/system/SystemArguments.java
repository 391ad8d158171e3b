package org.tinamou.tools.system;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.tinamou.tools.cli.ToolException;

/**
 * The command line: options with one dash or two and whole names, a value always as a word of its
 * own; words without a dash are disk images.
 */
final class SystemArguments {
  /**
   * An option as given.
   *
   * @param name without dashes; {@code hda} for a disk image without an option
   * @param value the word behind it, or null
   * @param where what stands before messages about it
   */
  record Given(String name, @Nullable String value, String where) {
    String text() {
      return value == null ? "" : value;
    }
  }

  private static final Set<String> FLAGS =
      words(
          """
          h help version S nodefaults no-user-config nographic daemonize snapshot no-shutdown
          no-reboot singlestep mem-prealloc preconfig usb no-acpi no-hpet no-fd-bootchk win2k-hack
          portrait full-screen enable-kvm only-migratable semihosting old-param async-teardown
          enable-sync-profile perfmap jitdump\
          """);

  private static final Set<String> WITH_VALUE =
      words(
          """
          machine M cpu accel smp m name uuid drive blockdev hda hdb hdc hdd fda fdb cdrom mtdblock
          sd pflash object chardev mon monitor qmp qmp-pretty serial parallel pidfile qtest
          qtest-log add-fd set global boot mem-path k audio audiodev device fsdev virtfs display
          vga spice vnc netdev nic net tpmdev bios kernel append initrd dtb compat fw_cfg debugcon
          D d trace action watchdog-action sandbox msg readconfig rtc icount overcommit loadvm
          incoming chroot runas L smbios acpitable g numa iscsi rotate usbdevice dfilter seed
          semihosting-config tb-size xen-domid plugin prom-env option-rom dump-vmstate gdb\
          """);

  private final List<Given> all = new ArrayList<>();

  private static Set<String> words(String text) {
    return new HashSet<>(List.of(text.split("\\s+")));
  }

  /**
   * Reads the words behind the program's name.
   *
   * @throws ToolException about the first option that does not exist or lacks its value
   */
  static SystemArguments parse(List<String> words) throws ToolException {
    SystemArguments arguments = new SystemArguments();
    for (int i = 0; i < words.size(); i++) {
      String word = words.get(i);
      if (!word.startsWith("-")) {
        arguments.all.add(new Given("hda", word, word + ": "));
        continue;
      }
      String name = word.substring(word.startsWith("--") ? 2 : 1);
      if (FLAGS.contains(name)) {
        arguments.all.add(new Given(name, null, word + ": "));
      } else if (!WITH_VALUE.contains(name)) {
        throw new ToolException(word + ": invalid option");
      } else if (i + 1 == words.size()) {
        throw new ToolException(word + ": requires an argument");
      } else {
        String value = words.get(++i);
        arguments.all.add(new Given(name, value, word + " " + value + ": "));
      }
    }
    return arguments;
  }

  /** In the order given. */
  List<Given> all() {
    return all;
  }

  boolean has(String name) {
    return last(name) != null;
  }

  /** The last option of that name, or null. */
  @Nullable Given last(String name) {
    Given last = null;
    for (Given given : all) {
      if (given.name().equals(name)) {
        last = given;
      }
    }
    return last;
  }

  /** All options of those names, in the order given. */
  List<Given> of(String... names) {
    List<String> wanted = List.of(names);
    return all.stream().filter(given -> wanted.contains(given.name())).toList();
  }
}
