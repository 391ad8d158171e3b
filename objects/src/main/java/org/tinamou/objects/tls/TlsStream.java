package org.tinamou.objects.tls;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.CoMutex;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.aio.StreamSocket;
import org.tinamou.base.Check;
import org.tinamou.base.Errno;
import org.tinamou.base.IoVector;

/**
 * A connection whose bytes travel encrypted over another one, which it owns. It holds one record
 * that has come and a few that go.
 */
public final class TlsStream implements StreamSocket {
  /** Records that are sent together. */
  private static final int RECORDS_A_WRITE = 4;

  private final StreamSocket inner;
  private final TlsEngine engine;

  /** Guards the engine, for no longer than a record takes. */
  private final ReentrantLock lock = new ReentrantLock();

  /** Records go in the order in which they were made. */
  private final CoMutex sending = new CoMutex("TLS records");

  private final MemorySegment received;
  private final MemorySegment sealed;
  private final ByteBuffer sealedView;
  private final MemorySegment data;
  private final ByteBuffer dataView;
  private long position;
  private long limit;
  private boolean ended;
  private @Nullable String peerName;

  private TlsStream(StreamSocket inner, TlsEngine engine) {
    this.inner = inner;
    this.engine = engine;
    // Collected with the stream: the end of a connection is no time to wait for other threads.
    Arena arena = Arena.ofAuto();
    received = arena.allocate(2L * TlsEngine.MAX_RECORD_BYTES, 64);
    sealed = arena.allocate((long) RECORDS_A_WRITE * TlsEngine.MAX_RECORD_BYTES, 64);
    sealedView = sealed.asByteBuffer();
    data = arena.allocate(TlsEngine.MAX_RECORD_BYTES, 64);
    dataView = data.asByteBuffer().limit(0);
  }

  /**
   * Shakes hands as the client, and checks the server.
   *
   * @param socket the stream's from then on; the caller still closes it if this fails
   * @param host the name that the server's certificate has to have, or null if credentials ask for
   *     none
   */
  @InCoroutine
  public static TlsStream client(
      StreamSocket socket, TlsCredentials credentials, @Nullable String host) throws TlsException {
    Check.argument(
        credentials.endpoint() == TlsCredentials.Endpoint.CLIENT, "credentials of a server");
    return open(socket, credentials, host);
  }

  /**
   * Shakes hands as the server, and checks the client.
   *
   * @param socket the stream's from then on; the caller still closes it if this fails
   */
  @InCoroutine
  public static TlsStream server(StreamSocket socket, TlsCredentials credentials)
      throws TlsException {
    Check.argument(
        credentials.endpoint() == TlsCredentials.Endpoint.SERVER, "credentials of a client");
    return open(socket, credentials, null);
  }

  private static TlsStream open(
      StreamSocket socket, TlsCredentials credentials, @Nullable String host) throws TlsException {
    TlsEngine engine =
        Coroutine.current().context().callBlocking(() -> credentials.newEngine(host));
    TlsStream stream = new TlsStream(socket, engine);
    stream.shakeHands();
    return stream;
  }

  /** Who the peer has proved to be: its certificate's subject or its user name; null if nobody. */
  @AnyThread
  public @Nullable String peerName() {
    return peerName;
  }

  // ---------------------------------------------------------------------------------- handshake

  /** What a step of the handshake has led to. */
  private record Step(byte[] reply, int taken, @Nullable TlsException failure) {}

  private void shakeHands() throws TlsException {
    while (true) {
      Step step = Coroutine.current().context().callBlocking(this::step);
      position += step.taken;
      if (step.reply.length > 0) {
        sendRaw(step.reply);
      }
      if (step.failure != null) {
        throw step.failure;
      }
      if (engine.isOpen()) {
        break;
      }
      if (fill() <= 0) {
        throw new TlsException(
            "TLS handshake failed: The TLS connection was non-properly terminated.");
      }
    }
    peerName =
        Coroutine.current()
            .context()
            .<@Nullable String, TlsException>callBlocking(engine::verifyPeer);
  }

  private Step step() {
    ByteBuffer come = received.asSlice(position, limit - position).asByteBuffer();
    int before = come.remaining();
    byte[] reply = new byte[0];
    TlsException failure = null;
    lock.lock();
    try {
      reply = engine.shakeHands(come);
    } catch (TlsException e) {
      failure = e;
      reply = engine.end();
    } finally {
      lock.unlock();
    }
    return new Step(reply, before - come.remaining(), failure);
  }

  private void sendRaw(byte[] bytes) throws TlsException {
    MemorySegment copy = Arena.ofAuto().allocate(bytes.length);
    MemorySegment.copy(MemorySegment.ofArray(bytes), 0, copy, 0, bytes.length);
    long result = inner.write(copy);
    if (result < 0) {
      throw new TlsException("TLS handshake failed: " + Errno.ofResult(result).message());
    }
  }

  /** Reads more of what the peer sends; 0 at the end, or a negative errno. */
  private long fill() {
    if (position > 0) {
      MemorySegment.copy(received, position, received, 0, limit - position);
      limit -= position;
      position = 0;
    }
    long got = inner.read(received.asSlice(limit));
    if (got > 0) {
      limit += got;
    }
    return got;
  }

  // ------------------------------------------------------------------------------------- reading

  @Override
  @InCoroutine
  public long read(MemorySegment buffer) {
    while (true) {
      if (dataView.hasRemaining()) {
        int count = (int) Math.min(buffer.byteSize(), dataView.remaining());
        MemorySegment.copy(data, dataView.position(), buffer, 0, count);
        dataView.position(dataView.position() + count);
        return count;
      }
      if (ended) {
        return 0;
      }
      long got = takeRecord(buffer);
      if (got != 0) {
        return got;
      }
    }
  }

  /** One record, or more bytes of one. Above 0 if data went to the buffer, below if all failed. */
  private long takeRecord(MemorySegment buffer) {
    boolean direct = buffer.byteSize() >= TlsEngine.MAX_RECORD_BYTES;
    ByteBuffer target = direct ? buffer.asByteBuffer() : dataView.clear();
    ByteBuffer come = received.asSlice(position, limit - position).asByteBuffer();
    int result;
    byte[] answer;
    lock.lock();
    try {
      result = engine.open(come, target);
      answer = engine.pending();
    } catch (TlsException e) {
      dataView.limit(0);
      return -Errno.EIO.number();
    } finally {
      lock.unlock();
    }
    position = limit - come.remaining();
    if (!direct) {
      dataView.flip();
    }
    if (answer.length > 0 && !answer(answer)) {
      return -Errno.EIO.number();
    }
    if (result == TlsEngine.ENDED) {
      ended = true;
      return 0;
    }
    if (result != TlsEngine.INCOMPLETE) {
      return direct ? result : 0;
    }
    if (position == 0 && limit == received.byteSize()) {
      // Longer than any record.
      return -Errno.EIO.number();
    }
    long got = fill();
    if (got == 0) {
      ended = true;
    }
    return Math.min(got, 0);
  }

  private boolean answer(byte[] bytes) {
    sending.lock();
    try {
      sendRaw(bytes);
      return true;
    } catch (TlsException e) {
      return false;
    } finally {
      sending.unlock();
    }
  }

  // ------------------------------------------------------------------------------------- writing

  @Override
  @InCoroutine
  public long write(MemorySegment buffer) {
    return write(IoVector.of(buffer));
  }

  @Override
  @InCoroutine
  public long write(IoVector buffers) {
    sending.lock();
    try {
      sealedView.clear();
      for (MemorySegment each : buffers.segments()) {
        ByteBuffer plain = each.asByteBuffer();
        while (plain.hasRemaining()) {
          if (sealedView.remaining() < TlsEngine.MAX_RECORD_BYTES) {
            long result = send();
            if (result < 0) {
              return result;
            }
          }
          seal(plain);
        }
      }
      long result = send();
      return result < 0 ? result : buffers.sizeBytes();
    } catch (TlsException e) {
      return -Errno.EIO.number();
    } finally {
      sending.unlock();
    }
  }

  private void seal(ByteBuffer plain) throws TlsException {
    int end = plain.limit();
    plain.limit(Math.min(end, plain.position() + TlsEngine.MAX_DATA_BYTES));
    lock.lock();
    try {
      engine.seal(plain, sealedView);
    } finally {
      lock.unlock();
      plain.limit(end);
    }
  }

  private long send() {
    long length = sealedView.position();
    sealedView.clear();
    return length == 0 ? 0 : inner.write(sealed.asSlice(0, length));
  }

  // ----------------------------------------------------------------------------------------- end

  @Override
  @InCoroutine
  public void sayEnd() {
    sending.lock();
    try {
      byte[] words;
      lock.lock();
      try {
        words = engine.end();
      } finally {
        lock.unlock();
      }
      if (words.length > 0) {
        sendRaw(words);
      }
    } catch (TlsException gone) {
      inner.shutdown();
    } finally {
      sending.unlock();
    }
  }

  @Override
  @AnyThread
  public void shutdown() {
    inner.shutdown();
  }

  @Override
  @AnyThread
  public void close() {
    inner.close();
  }
}
