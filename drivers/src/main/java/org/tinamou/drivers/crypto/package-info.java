/**
 * Encryption of disk sectors: keys and sector numbers go in, sectors are changed where they stand.
 *
 * <p>Any thread; deriving a key from a password takes long and belongs on a worker. Depends on the
 * JDK's ciphers, and on Bouncy Castle for those the JDK lacks. Start reading at {@link
 * org.tinamou.drivers.crypto.SectorCipher}.
 */
package org.tinamou.drivers.crypto;
