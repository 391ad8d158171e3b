package org.tinamou.tools.img;

import org.tinamou.drivers.Drivers;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.Version;

/** What {@code img --help} prints. */
final class ImgHelp {
  private static final String TEXT =
      """
      Make, describe, change, convert, compare and time disk images

          '-h', '--help'       show this text
          '-V', '--version'    show the version
          '-T', '--trace'      [[enable=]<pattern>][,events=<file>][,file=<file>]
                               accepted; there are no events to trace

      Command syntax:
        amend [--object objectdef] [--image-opts] [-p] [-q] [-f fmt] [-t cache] [--force] -o options filename
        bench [-c count] [-d depth] [-f fmt] [--flush-interval=flush_interval] [-i aio] [-n] [--no-drain] [-o offset] [--pattern=pattern] [-q] [-s buffer_size] [-S step_size] [-t cache] [-w] [-U] filename
        bitmap (--merge SOURCE | --add | --remove | --clear | --enable | --disable)... [-b source_file [-F source_fmt]] [-g granularity] [--object objectdef] [--image-opts | -f fmt] filename bitmap
        check [--object objectdef] [--image-opts] [-q] [-f fmt] [--output=ofmt] [-r [leaks | all]] [-T src_cache] [-U] filename
        commit [--object objectdef] [--image-opts] [-q] [-f fmt] [-t cache] [-b base] [-r rate_limit] [-d] [-p] filename
        compact [--object objectdef] [--image-opts] [--dry-run] [--output=ofmt] [-f fmt] [-p] [-q] filename
        compare [--object objectdef] [--image-opts] [-f fmt] [-F fmt] [-T src_cache] [-p] [-q] [-s] [-U] filename1 filename2
        convert [--object objectdef] [--image-opts] [--target-image-opts] [--target-is-zero] [--bitmaps] [-U] [-C] [-c] [-p] [-q] [-n] [-f fmt] [-t cache] [-T src_cache] [-O output_fmt] [-B backing_file [-F backing_fmt]] [-o options] [-l snapshot_param] [-S sparse_size] [-r rate_limit] [-m num_coroutines] [-W] [--salvage] filename [filename2 [...]] output_filename
        create [--object objectdef] [-q] [-f fmt] [-b backing_file [-F backing_fmt]] [-u] [-o options] filename [size]
        diff [--object objectdef] [--image-opts] [--map=json|human|none] [-f fmt] [-F fmt] [-T src_cache] [-p] [-q] [-U] filename1 filename2
        dd [--image-opts] [-U] [-f fmt] [-O output_fmt] [bs=block_size] [count=blocks] [skip=blocks] if=input of=output
        info [--object objectdef] [--image-opts] [-f fmt] [--output=ofmt] [--backing-chain] [-U] filename
        map [--object objectdef] [--image-opts] [-f fmt] [--start-offset=offset] [--max-length=len] [--output=ofmt] [-U] filename
        measure [--output=ofmt] [-O output_fmt] [-o options] [--size N | [--object objectdef] [--image-opts] [-f fmt] [-l snapshot_param] filename]
        rebase [--object objectdef] [--image-opts] [-U] [-q] [-f fmt] [-t cache] [-T src_cache] [-p] [-u] -b backing_file [-F backing_fmt] filename
        resize [--object objectdef] [--image-opts] [-f fmt] [--preallocation=prealloc] [-q] [--shrink] filename [+ | -]size
        snapshot [--object objectdef] [--image-opts] [-U] [-q] [-l | -a snapshot | -c snapshot | -d snapshot] filename

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
        --image-opts    the name is a list of options, driver=...,key=value,...
        --object        type,id=name,property=value,...; --object help lists the types
        --output        human or json
        --untrusted     believe nothing that an image says of other files: what it names as
                        its backing or data file is not opened, and no format is guessed
                        (info tells what it looks like); all commands, io and nbd have it
        --shared        of info, map, measure and check: read an image that somebody else is
                        writing, as with -U, and say what that means for the answer; check
                        looks again while the image changes
        --progress      json or json,fd=NUMBER: tell programs how far the command is, a line
                        with an object each time (standard error unless another descriptor
                        is given)
        --backing-policy  any (the default), same-directory (regular files beside the image
                        that names them) or none; all commands, io and nbd have it

      Parameters of convert:
        -n              the target exists already
        -S sparse_size  the length of a run of zeroes that becomes a hole (4k unless given);
                        0 writes everything
        -m coroutines   how many pieces are copied at a time (8 unless given)
        -W              write in any order
        -C              let the host copy where it can
        -r rate_limit   bytes a second
        --salvage       read what cannot be read as zeroes
        filename         - is standard input, for a raw disk (-f raw)
        output_filename  - is standard output, for raw, qcow2 and vmdk-stream (a compressed VMDK
                        for appliances): written from its beginning to its end, the source being
                        read twice for qcow2
        --resume        keep a record in output_filename.resume of how far everything has come;
                        where there is one, compare what is there with the source and go on
                        from there
        --target-is-zero  the existing target reads as zeroes

      Parameters of compare:
        -f, -F          the formats of the first and the second image
        -s              different sizes, or data against a hole, count as different
        Exit code 0: same content; 1: different; 2 and more: failed.

      Parameters of compact (which the reference does not have):
        --dry-run       say only how much smaller the file could become
        Drops what nothing refers to and what reads as zeroes, moves the rest to the front and
        cuts the file. Whatever interrupts it, the image holds the same data afterwards.

      Parameters of diff (which the reference does not have):
        --map           json: an array of the ranges that differ; human: a line for each;
                        without it just how many they are
        Exit codes as of compare.

      Parameters of map:
        -s, --start-offset  where to begin
        -l, --max-length    how many bytes to look at

      Parameters of resize:
        size            the new size; with + or - in front so much more or less
        --shrink        let the image become smaller, and lose what is behind its new end
        --preallocation off, falloc or full: what happens to new space

      Parameters of dd:
        bs, count, skip the size of a block (512 unless given), how many to copy and how many
                        to leave out

      Parameters of bench:
        -c, -d          how many requests, and how many at a time
        -s, -S, -o      the size of a request, from one to the next, and where to begin
        -w              write; --pattern says what, --flush-interval how often to flush
      """;

  private ImgHelp() {}

  static int print(Console console) {
    console.line(Version.text(console.program()));
    console.line("usage: " + console.program() + " [standard options] command [command options]");
    console.out().print(TEXT);
    console.line("");
    console.line("Supported formats: " + Drivers.namesAsTold());
    return 0;
  }
}
