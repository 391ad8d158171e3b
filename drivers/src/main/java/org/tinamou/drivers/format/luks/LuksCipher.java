package org.tinamou.drivers.format.luks;

import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.crypto.CipherAlgorithm;
import org.tinamou.drivers.crypto.CipherMode;
import org.tinamou.drivers.crypto.HashAlgorithm;
import org.tinamou.drivers.crypto.IvAlgorithm;
import org.tinamou.drivers.crypto.SectorCipher;

/**
 * The ciphers that a volume is made with.
 *
 * @param sectors what is done with its sectors
 * @param hash what its keys are derived and spread with
 */
public record LuksCipher(SectorCipher.Spec sectors, HashAlgorithm hash) {
  private static final int TWEAKED_BLOCK_BYTES = 16;

  private static BlockException invalid(String message) {
    return new BlockException(Errno.EINVAL, message);
  }

  /**
   * What a header names.
   *
   * @throws BlockException if it is nothing that anybody knows
   */
  @AnyThread
  static LuksCipher of(LuksHeader header) throws BlockException {
    String text = header.cipherMode();
    int dash = text.indexOf('-');
    if (dash < 0) {
      throw invalid("Unexpected cipher mode string format '" + text + "'");
    }
    String ivName = text.substring(dash + 1);
    HashAlgorithm ivHash = null;
    int colon = ivName.indexOf(':');
    if (colon >= 0) {
      ivHash = hash(ivName.substring(colon + 1));
      ivName = ivName.substring(0, colon);
    }
    CipherMode mode = CipherMode.named(text.substring(0, dash));
    if (mode == null) {
      throw invalid("Cipher mode '" + text.substring(0, dash) + "' not supported");
    }
    long keyBytes = header.keyBytes() / mode.keys();
    CipherAlgorithm algorithm = CipherAlgorithm.of(header.cipherName(), (int) keyBytes);
    if (algorithm == null) {
      throw invalid(
          "Algorithm '"
              + header.cipherName()
              + "' with key size "
              + keyBytes
              + " bytes not supported");
    }
    HashAlgorithm hash = hash(header.hashName());
    IvAlgorithm ivAlgorithm = IvAlgorithm.named(ivName);
    if (ivAlgorithm == null) {
      throw invalid("IV generator '" + ivName + "' not supported");
    }
    if (ivAlgorithm == IvAlgorithm.ESSIV && ivHash == null) {
      throw invalid("Missing IV generator hash specification");
    }
    return checked(new SectorCipher.Spec(algorithm, mode, ivAlgorithm, ivHash), hash);
  }

  private static HashAlgorithm hash(String name) throws BlockException {
    HashAlgorithm hash = HashAlgorithm.named(name);
    if (hash == null) {
      throw invalid("Hash algorithm '" + name + "' not supported");
    }
    return hash;
  }

  /** Refuses an essiv without a cipher for sector numbers. */
  static LuksCipher checked(SectorCipher.Spec sectors, HashAlgorithm hash) throws BlockException {
    HashAlgorithm ivHash = sectors.ivHash();
    boolean essiv = sectors.ivAlgorithm() == IvAlgorithm.ESSIV;
    if (essiv && ivHash != null && sectors.ivCipher() == null) {
      CipherAlgorithm algorithm = sectors.algorithm();
      throw invalid(
          algorithm == CipherAlgorithm.CAST5_128
              ? "Cipher " + algorithm.optionName() + " not supported with essiv"
              : "No %s cipher with key size %d available"
                  .formatted(title(algorithm), ivHash.digestBytes()));
    }
    return new LuksCipher(sectors, hash);
  }

  private static String title(CipherAlgorithm algorithm) {
    String family = algorithm.family();
    return family.equals("aes")
        ? "AES"
        : Character.toUpperCase(family.charAt(0)) + family.substring(1);
  }

  /** Refuses what can be named but not used. */
  void requireUsable() throws BlockException {
    if (sectors.mode() == CipherMode.XTS
        && sectors.algorithm().blockBytes() != TWEAKED_BLOCK_BYTES) {
      throw invalid("Unsupported cipher mode xts");
    }
  }

  /** How a header names the mode. */
  String modeText() {
    @Nullable HashAlgorithm ivHash = sectors.ivHash();
    return sectors.mode().text()
        + "-"
        + sectors.ivAlgorithm().text()
        + (ivHash == null ? "" : ":" + ivHash.text());
  }
}
