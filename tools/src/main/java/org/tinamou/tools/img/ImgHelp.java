package org.tinamou.tools.img;

import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.Version;

/** What {@code img --help} prints. */
final class ImgHelp {
  private static final String TEXT =
      """
      Make, describe, convert and compare disk images

          '-h', '--help'       show this text
          '-V', '--version'    show the version
          '-T', '--trace'      [[enable=]<pattern>][,events=<file>][,file=<file>]
                               accepted; there are no events to trace

      Command syntax:
        compare [--object objectdef] [--image-opts] [-f fmt] [-F fmt] [-T src_cache] [-p] [-q] [-s] [-U] filename1 filename2
        convert [--object objectdef] [--image-opts] [--target-image-opts] [--target-is-zero] [--bitmaps] [-U] [-C] [-c] [-p] [-q] [-n] [-f fmt] [-t cache] [-T src_cache] [-O output_fmt] [-B backing_file [-F backing_fmt]] [-o options] [-l snapshot_param] [-S sparse_size] [-r rate_limit] [-m num_coroutines] [-W] [--salvage] filename [filename2 [...]] output_filename
        create [--object objectdef] [-q] [-f fmt] [-b backing_file [-F backing_fmt]] [-u] [-o options] filename [size]
        info [--object objectdef] [--image-opts] [-f fmt] [--output=ofmt] [--backing-chain] [-U] filename
        map [--object objectdef] [--image-opts] [-f fmt] [--start-offset=offset] [--max-length=len] [--output=ofmt] [-U] filename

      Parameters:
        filename        an image's file name
        fmt             an image's format; looked for in the image unless it is given
        cache           how the target is written: none, writeback (the default, except for
                        convert), writethrough, directsync or unsafe (the default for convert)
        src_cache       the same for the images that are read
        size            bytes, or with a suffix: k or K for 1024, M, G, T, P and E for the
                        next powers of 1024; b changes nothing
        output_fmt      the format of the target
        options         options of the format, name=value,...; -o help lists them
        -p              show how far the command has come
        -q              print errors only
        -U              read an image that somebody else is writing
        --output        human or json

      Parameters of convert:
        -n              the target exists already
        -S sparse_size  the length of a run of zeroes that becomes a hole (4k unless given);
                        0 writes everything
        -m coroutines   how many pieces are copied at a time (8 unless given)
        -W              write in any order
        -C              let the host copy where it can
        -r rate_limit   bytes a second
        --salvage       read what cannot be read as zeroes
        --target-is-zero  the existing target reads as zeroes

      Parameters of compare:
        -f, -F          the formats of the first and the second image
        -s              different sizes, or data against a hole, count as different
        Exit code 0: same content; 1: different; 2 and more: failed.

      Parameters of map:
        -s, --start-offset  where to begin
        -l, --max-length    how many bytes to look at

      Supported formats: file raw
      """;

  private ImgHelp() {}

  static int print(Console console) {
    console.line(Version.text(console.program()));
    console.line("usage: " + console.program() + " [standard options] command [command options]");
    console.out().print(TEXT);
    return 0;
  }
}
