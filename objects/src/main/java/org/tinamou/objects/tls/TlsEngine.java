package org.tinamou.objects.tls;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * One side of an encrypted connection as a matter of bytes: it neither reads nor writes them. Used
 * by one thread at a time.
 */
interface TlsEngine {
  /** The longest record, with all that stands around its data. */
  int MAX_RECORD_BYTES = (16 << 10) + 2048 + 5;

  /** The most data in a record. */
  int MAX_DATA_BYTES = 16 << 10;

  /** No whole record has come. */
  int INCOMPLETE = -1;

  /** The peer has said that nothing follows. */
  int ENDED = -2;

  /**
   * Goes on with the handshake as far as the received bytes allow, and takes those it has used.
   * Takes its time.
   *
   * @return what the peer has to be sent, also when this fails
   */
  byte[] shakeHands(ByteBuffer received) throws TlsException;

  /** Whether the handshake is over, and data may follow. */
  boolean isOpen();

  /**
   * Checks that the peer is whom it should be, after the handshake. Takes its time.
   *
   * @return the peer's name, or null if it has none
   */
  @Nullable String verifyPeer() throws TlsException;

  /**
   * Takes one record.
   *
   * @param data has room for {@link #MAX_RECORD_BYTES}
   * @return how many bytes of data were in it, maybe 0; {@link #INCOMPLETE} or {@link #ENDED}
   */
  int open(ByteBuffer received, ByteBuffer data) throws TlsException;

  /**
   * Makes a record of up to {@link #MAX_DATA_BYTES} of data. It may take less than there is.
   *
   * @param record has room for {@link #MAX_RECORD_BYTES}
   */
  void seal(ByteBuffer data, ByteBuffer record) throws TlsException;

  /** What the engine itself has to tell the peer, if anything: answers to keys that changed. */
  byte[] pending() throws TlsException;

  /** The words for the peer that nothing follows. */
  byte[] end();
}
