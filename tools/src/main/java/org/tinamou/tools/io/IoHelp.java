package org.tinamou.tools.io;

/** Longer texts on the tool and its commands. */
final class IoHelp {
  private IoHelp() {}

  /** What {@code --help} and mistakes in the command line show. */
  static String usage(String program) {
    return "Usage: "
        + program
        + """
         [OPTIONS]... [-c STRING]... [file]
        Read, write and verify a disk image

          --object OBJECTDEF   define an object, e.g. a secret
          --image-opts         the file is given as a list of options
          --untrusted          open nothing that the image names, guess no format
          --backing-policy P   what an image may name: any, same-directory or none
          -c, --cmd STRING     run this command; may be given several times
          -f, --format FMT     the image's format
          -r, --read-only      open the image for reading only
          -s, --snapshot       keep changes in a temporary file
          -n, --nocache        the same as -t none
          -C, --copy-on-read   copy what is read from a backing file
          -m, --misalign       use memory that direct I/O cannot use as it is
          -k, --native-aio     the same as -i native
          -i, --aio=MODE       threads, native or io_uring
          -t, --cache=MODE     none, writeback, writethrough, directsync or unsafe
          -d, --discard=MODE   ignore or unmap
          -T, --trace [[enable=]<pattern>][,events=<file>][,file=<file>]
                               accepted; there are no events to trace
          -U, --force-share    open an image that somebody else is writing
          -h, --help           show this text
          -V, --version        show the version

        Without -c, commands are read from standard input; 'help' lists them.
        """;
  }

  /** What a command does, behind its usage; empty where that says everything. */
  static String details(String command) {
    return switch (command) {
      case "read", "readv", "aio_read" -> readDetails(command);
      case "write", "writev", "aio_write" -> writeDetails(command);
      case "discard" ->
          """

           Gives the space of a range back, e.g. 'discard 512 1k'.
           -C, -- report numbers for programs
           -q, -- report nothing

          """;
      case "open" ->
          """

           Opens an image for the other commands, e.g. 'open -n -o driver=raw disk.img'.
           -r, -- for reading only
           -s, -- keep changes in a temporary file
           -C, -- copy what is read from a backing file
           -n, -- the same as -t none
           -U, -- although somebody else is writing it
           -k, -- the same as -i native
           -i, -- threads, native or io_uring
           -t, -- none, writeback, writethrough, directsync or unsafe
           -d, -- ignore or unmap
           -o, -- options of the driver, name=value,...
          """;
      case "reopen" ->
          """

           Changes how the image is open, e.g. 'reopen -r'.
           -r, -- for reading only
           -w, -- for reading and writing
           -c, -- none, writeback, writethrough, directsync or unsafe
           -o, -- options of the driver, name=value,...

          """;
      case "sigraise" ->
          """

           Sends this process a signal, e.g. 'sigraise 15'.

          """;
      default -> "";
    };
  }

  private static String readDetails(String command) {
    return switch (command) {
      case "read" ->
          """

           Reads a range, e.g. 'read -v 512 1k'.
           -b, -- read the virtual machine's state instead of the disk
           -C, -- report numbers for programs
           -P, -- check that every byte read is this one
           -s, -- begin checking so far into the data (only with -P)
           -l, -- check so many bytes (only with -P)
           -q, -- report nothing
           -v, -- show the data
           -p, -- has no effect

          """;
      default ->
          """

           Reads a range into a buffer for each length given, e.g. '%s -v 512 1k 1k'.
           -C, -- report numbers for programs
           -P, -- check that every byte read is this one
           -q, -- report nothing
           -v, -- show the data
          %s
          """
              .formatted(
                  command,
                  command.equals("readv")
                      ? ""
                      : """
                       -i, -- count as an invalid request instead
                       Goes on in the background; 'aio_flush' waits for it.
                      """
                          .stripTrailing());
    };
  }

  private static String writeDetails(String command) {
    return switch (command) {
      case "write" ->
          """

           Writes a range full of one byte (0xcd), e.g. 'write -P 5 512 1k'.
           -b, -- write the virtual machine's state instead of the disk
           -c, -- write compressed
           -C, -- report numbers for programs
           -f, -- have it on the disk before reporting
           -n, -- fail rather than write zeroes slowly (only with -z)
           -P, -- the byte to write
           -s, -- write the content of a file, again and again
           -q, -- report nothing
           -u, -- space may be given back (only with -z)
           -z, -- write zeroes by the quickest means
           -p, -- has no effect

          """;
      default ->
          """

           Writes a range full of one byte (0xcd) from a buffer for each length given,
           e.g. '%s 512 1k 1k'.
           -C, -- report numbers for programs
           -f, -- have it on the disk before reporting
           -P, -- the byte to write
           -q, -- report nothing
          %s
          """
              .formatted(
                  command,
                  command.equals("writev")
                      ? ""
                      : """
                       -i, -- count as an invalid request instead
                       -u, -- space may be given back (only with -z)
                       -z, -- write zeroes by the quickest means
                       Goes on in the background; 'aio_flush' waits for it.
                      """
                          .stripTrailing());
    };
  }
}
