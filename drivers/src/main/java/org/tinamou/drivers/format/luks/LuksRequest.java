package org.tinamou.drivers.format.luks;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.base.Errno;
import org.tinamou.block.BlockException;
import org.tinamou.drivers.crypto.CipherAlgorithm;
import org.tinamou.drivers.crypto.CipherMode;
import org.tinamou.drivers.crypto.HashAlgorithm;
import org.tinamou.drivers.crypto.IvAlgorithm;
import org.tinamou.drivers.crypto.SectorCipher;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionSchema.Option;
import org.tinamou.qapi.OptionValues;

/**
 * A new volume.
 *
 * @param keySecret the id of the first password, or null
 * @param iterationMillis how long unlocking is to take
 */
public record LuksRequest(LuksCipher cipher, @Nullable String keySecret, long iterationMillis) {
  /** Without a word of how long. */
  public static final long USUAL_MILLIS = 2000;

  /** Known, and of no use. */
  private static final List<String> UNSUPPORTED = List.of("des", "3des");

  /** The options of a new volume, with a prefix before each name. */
  @AnyThread
  public static List<Option> options(String prefix, String keyHelp) {
    List<Option> all = new ArrayList<>();
    all.add(Option.string(prefix + "key-secret", keyHelp));
    all.add(Option.string(prefix + "cipher-alg", "Name of encryption cipher algorithm"));
    all.add(Option.string(prefix + "cipher-mode", "Name of encryption cipher mode"));
    all.add(Option.string(prefix + "ivgen-alg", "Name of IV generator algorithm"));
    all.add(Option.string(prefix + "ivgen-hash-alg", "Name of IV generator hash algorithm"));
    all.add(Option.string(prefix + "hash-alg", "Name of encryption hash algorithm"));
    all.add(Option.number(prefix + "iter-time", "Time to spend in PBKDF in milliseconds"));
    return all;
  }

  /**
   * What options ask for.
   *
   * @param prefix what stands before each name
   * @throws BlockException with the reference's message for a value that nobody knows
   */
  @AnyThread
  public static LuksRequest of(OptionValues values, String prefix)
      throws BlockException, OptionException {
    String cipherName = text(values, prefix, "cipher-alg", "aes-256");
    CipherAlgorithm algorithm = CipherAlgorithm.named(cipherName);
    if (algorithm == null && !UNSUPPORTED.contains(cipherName)) {
      throw notAccepted("cipher-alg", cipherName);
    }
    String modeName = text(values, prefix, "cipher-mode", "xts");
    CipherMode mode = CipherMode.named(modeName);
    if (mode == null) {
      throw notAccepted("cipher-mode", modeName);
    }
    String ivName = text(values, prefix, "ivgen-alg", "plain64");
    IvAlgorithm ivAlgorithm = IvAlgorithm.named(ivName);
    if (ivAlgorithm == null) {
      throw notAccepted("ivgen-alg", ivName);
    }
    HashAlgorithm ivHash = hash(values.string(prefix + "ivgen-hash-alg"), "ivgen-hash-alg");
    HashAlgorithm hash = hash(text(values, prefix, "hash-alg", "sha256"), "hash-alg");
    long millis = values.number(prefix + "iter-time", USUAL_MILLIS);
    if (algorithm == null) {
      throw new BlockException(Errno.EINVAL, "Algorithm '" + cipherName + "' not supported");
    }
    if (ivAlgorithm == IvAlgorithm.ESSIV && ivHash == null) {
      ivHash = HashAlgorithm.SHA256;
    }
    LuksCipher cipher =
        LuksCipher.checked(
            new SectorCipher.Spec(algorithm, mode, ivAlgorithm, ivHash),
            hash == null ? HashAlgorithm.SHA256 : hash);
    return new LuksRequest(
        cipher, values.string(prefix + "key-secret"), millis == 0 ? USUAL_MILLIS : millis);
  }

  private static String text(OptionValues values, String prefix, String name, String fallback) {
    String value = values.string(prefix + name);
    return value == null ? fallback : value;
  }

  private static @Nullable HashAlgorithm hash(@Nullable String name, String parameter)
      throws BlockException {
    HashAlgorithm hash = name == null ? null : HashAlgorithm.named(name);
    if (name != null && hash == null) {
      throw notAccepted(parameter, name);
    }
    return hash;
  }

  private static BlockException notAccepted(String parameter, String value) {
    return new BlockException(
        Errno.EINVAL, "Parameter '" + parameter + "' does not accept value '" + value + "'");
  }
}
