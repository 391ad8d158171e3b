package org.tinamou.tools.nbd;

/** What {@code --help} prints. */
final class NbdHelp {
  private NbdHelp() {}

  static String usage(String program) {
    return """
    Usage: PROGRAM [OPTIONS] FILE
      or:  PROGRAM -L [OPTIONS]
    Shows a disk image to NBD clients

      -h, --help                print this help and exit
      -V, --version             print the version and exit

    Where clients connect:
      -p, --port=PORT           port to listen on (default `10809')
      -b, --bind=IFACE          address to listen on (default `0.0.0.0')
      -k, --socket=PATH         path of a Unix socket to listen on instead
          --stdio               serve one client on standard input and output
      -e, --shared=NUM          how many clients at a time (default '1'; 0: any number)
      -t, --persistent          go on after the last client has gone
      -v, --verbose             say more
      -x, --export-name=NAME    name of the export (default: the empty name)
      -D, --description=TEXT    text about the export, for people
          --handshake-limit=N   seconds a client may take to choose an export
                                (default 10; 0: for ever)

    What they see of the image:
      -o, --offset=OFFSET       leave out the first OFFSET bytes
      -A, --allocation-depth    tell in which layer of the image data is
      -B, --bitmap=NAME         show a persistent dirty bitmap

    General:
      -L, --list                list the exports of another server
      --object type,id=ID,...   define an object for other options to use
      --tls-creds=ID            encrypt, with the credentials of that object
      --tls-hostname=NAME       with -L: the name in the server's certificate
      --tls-authz=ID            let in only whom that object names
      -T, --trace [[enable=]<pattern>][,events=<file>][,file=<file>]
                                accepted, without effect
      --fork                    return once the server runs in the background
      --pid-file=PATH           write the server's process id to a file
      --selinux-label=LABEL     not supported

    Devices of the kernel's NBD client:
      -c, --connect=DEV         not supported: use nbd-client on a socket
      -d, --disconnect          take the device that is named from its server

    How the image is used:
      -f, --format=FORMAT       its format (raw, qcow2, ...)
      -r, --read-only           do not let clients write
      -s, --snapshot            keep what clients write in a temporary file
      -l, --load-snapshot=SNAPSHOT_PARAM
                                show an internal snapshot, read-only:
                                'snapshot.id=[ID],snapshot.name=[NAME]' or
                                '[ID_OR_NAME]'
      -n, --nocache             same as --cache=none
          --cache=MODE          'none', 'writeback' (default), 'writethrough',
                                'directsync' or 'unsafe'
          --aio=MODE            'native', 'io_uring' or 'threads'
          --discard=MODE        'ignore' (default) or 'unmap'
          --detect-zeroes=MODE  'off' (default), 'on' or 'unmap'
          --image-opts          FILE is a list of options
          --untrusted           open nothing that the image names, guess no format
          --backing-policy=POLICY
                                what an image may name: 'any' (default),
                                'same-directory' or 'none'
    """
        .replace("PROGRAM", program);
  }
}
