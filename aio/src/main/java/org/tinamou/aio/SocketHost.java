package org.tinamou.aio;

import java.io.IOException;
import org.tinamou.base.Errno;
import org.tinamou.base.ErrnoException;

/** Makes sockets: the host's in production, simulated ones in tests. */
public interface SocketHost {
  /** A host without sockets: every call fails. */
  SocketHost NONE =
      new SocketHost() {
        @Override
        public StreamSocket connect(SocketAddress address) throws IOException {
          throw new ErrnoException(
              Errno.EOPNOTSUPP, "sockets need the kernel's interface, which is switched off");
        }

        @Override
        public ListenSocket listen(SocketAddress address, int backlog) throws IOException {
          throw new ErrnoException(
              Errno.EOPNOTSUPP, "sockets need the kernel's interface, which is switched off");
        }
      };

  /**
   * Connects, trying all addresses a name has.
   *
   * @throws IOException why the last attempt failed; ECANCELED if the coroutine's cancel flag is
   *     up. Its context says what failed, in the reference's words
   */
  @InCoroutine
  StreamSocket connect(SocketAddress address) throws IOException;

  /**
   * Listens on one address; of a host name with several, on the first.
   *
   * @param backlog how many connections may wait to be taken
   */
  @InCoroutine
  ListenSocket listen(SocketAddress address, int backlog) throws IOException;

  /** Files, pipes and terminals that are used like connections. */
  @AnyThread
  default CharacterHost characters() {
    return CharacterHost.NONE;
  }
}
