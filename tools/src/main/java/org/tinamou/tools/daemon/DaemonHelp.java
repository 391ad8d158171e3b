package org.tinamou.tools.daemon;

/** The text of {@code --help}. */
final class DaemonHelp {
  private static final String TEXT =
      """
      Usage: @NAME@ [options]
      Storage daemon of Tinamou

        -h, --help             display this help and exit
        -T, --trace [[enable=]<pattern>][,events=<file>][,file=<file>]
                               specify tracing options
        -V, --version          output version information and exit

        --blockdev [driver=]<driver>[,node-name=<N>][,discard=ignore|unmap]
                   [,cache.direct=on|off][,cache.no-flush=on|off]
                   [,read-only=on|off][,auto-read-only=on|off]
                   [,force-share=on|off][,detect-zeroes=on|off|unmap]
                   [,driver specific parameters...]
                               configure a block backend

        --chardev <options>    configure a character device backend
                               (see the qemu(1) man page for possible options)

        --daemonize            daemonize the process, and have the parent exit
                               once startup is complete

        --export [type=]nbd,id=<id>,node-name=<node-name>[,name=<export-name>]
                 [,writable=on|off][,bitmap=<name>]
                               export the specified block node over NBD
                               (requires --nbd-server)

        --monitor [chardev=]name[,mode=control][,pretty[=on|off]]
                               configure a QMP monitor

        --nbd-server addr.type=inet,addr.host=<host>,addr.port=<port>
                     [,tls-creds=<id>][,tls-authz=<id>][,max-connections=<n>]
        --nbd-server addr.type=unix,addr.path=<path>
                     [,tls-creds=<id>][,tls-authz=<id>][,max-connections=<n>]
                               start an NBD server for exporting block nodes

        --object help          list object types that can be added
        --object <type>,help   list properties for the given object type
        --object <type>[,<property>=<value>...]
                               create a new object of type <type>, setting
                               properties in the order they are specified. Note
                               that the 'id' property must be set.
                               See the qemu(1) man page for documentation of the
                               objects that can be added.

        --pidfile <path>       write process ID to a file after startup
      """;

  private DaemonHelp() {}

  static String usage(String program) {
    return TEXT.replace("@NAME@", program);
  }
}
