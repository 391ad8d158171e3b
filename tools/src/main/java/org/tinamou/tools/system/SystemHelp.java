package org.tinamou.tools.system;

/** What {@code -help} prints. */
final class SystemHelp {
  private static final String TEXT =
      """
      usage: @PROGRAM@ [options]
      A machine without processor and devices: block nodes, drives, jobs and exports under monitors.

      Machine:
      -machine none      the empty machine, which is the default
      -accel tcg|qtest   accepted; there is nothing to accelerate
      -name NAME         what query-name tells
      -uuid UUID         what query-uuid tells
      -S                 the machine is stopped until 'cont'

      Block devices:
      -blockdev [driver=]DRIVER,node-name=NAME[,OPTION=VALUE...]  opens a node; also as JSON
      -drive [file=FILE][,if=none|virtio][,id=NAME][,format=FORMAT][,media=disk|cdrom]
             [,cache=MODE][,discard=ignore|unmap][,read-only=on|off][,snapshot=on|off]
             [,werror=ignore|stop|report|enospc][,rerror=ignore|stop|report]
                         opens an image and gives it a name for commands
      -snapshot          what is written to drives is gone with the program
      -object TYPE,id=NAME[,PROPERTY=VALUE...]                    creates an object; also as JSON

      Monitors:
      -chardev BACKEND,id=NAME[,OPTION=VALUE...]                  opens a character device
      -mon [chardev=]NAME[,mode=readline|control][,pretty=on|off] puts a monitor on it
      -qmp DEVICE, -qmp-pretty DEVICE, -monitor DEVICE            both in one
      -serial DEVICE     opens a character device that nothing speaks through

      The program:
      -display none, -nographic, -nodefaults                      accepted; there is nothing to show
      -pidfile FILE      writes its process id there
      -daemonize         goes to the background once everything is open
      -version, -help
      """;

  private SystemHelp() {}

  static String text(String program) {
    return TEXT.replace("@PROGRAM@", program);
  }
}
