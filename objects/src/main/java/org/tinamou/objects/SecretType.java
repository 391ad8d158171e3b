package org.tinamou.objects;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import javax.crypto.Cipher;
import javax.crypto.spec.IvParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.base.Errno;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** {@code secret}: a password from the command line or from a file. */
public final class SecretType implements ObjectType {
  private static final int KEY_BYTES = 32;
  private static final int BLOCK_BYTES = 16;

  @Override
  @AnyThread
  public String name() {
    return "secret";
  }

  @Override
  @AnyThread
  public List<String> properties() {
    return List.of(
        "data=<string>",
        "file=<string>",
        "format=<QCryptoSecretFormat>",
        "iv=<string>",
        "keyid=<string>");
  }

  @Override
  @HomeThread
  public Secret create(String id, OptionReader options, ObjectRegistry others)
      throws OptionException {
    String data = options.stringOrNull("data");
    String file = options.stringOrNull("file");
    boolean base64 = "base64".equals(options.wordOrNull("format", List.of("raw", "base64")));
    String iv = options.stringOrNull("iv");
    String key = options.stringOrNull("keyid");
    if (data != null && file != null) {
      throw new OptionException("'file' and 'data' are mutually exclusive");
    }
    byte[] value;
    if (file != null) {
      value = content(file);
    } else if (data != null) {
      value = data.getBytes(StandardCharsets.UTF_8);
    } else {
      throw new OptionException("Either 'file' or 'data' must be provided");
    }
    if (key == null) {
      return new Secret(base64 ? decoded(value) : value);
    }
    if (key.equals(id)) {
      throw new OptionException("Secret with id '" + id + "' has no data");
    }
    return new Secret(decrypted(value, base64, Secret.find(others, key).bytes(), iv));
  }

  /** What was encrypted with AES-256-CBC. */
  private static byte[] decrypted(byte[] value, boolean base64, byte[] key, @Nullable String iv)
      throws OptionException {
    if (key.length != KEY_BYTES) {
      throw new OptionException("Key should be " + KEY_BYTES + " bytes in length");
    }
    if (iv == null) {
      throw new OptionException("IV is required to decrypt secret");
    }
    byte[] start = decoded(iv.getBytes(StandardCharsets.UTF_8));
    if (start.length != BLOCK_BYTES) {
      throw new OptionException(
          "IV should be " + BLOCK_BYTES + " bytes in length not " + start.length);
    }
    byte[] cipherText = base64 ? decoded(value) : value;
    if (cipherText.length % BLOCK_BYTES != 0) {
      throw new OptionException(
          "Length " + cipherText.length + " must be a multiple of block size " + BLOCK_BYTES);
    }
    byte[] plain;
    try {
      Cipher cipher = Cipher.getInstance("AES/CBC/NoPadding");
      cipher.init(Cipher.DECRYPT_MODE, new SecretKeySpec(key, "AES"), new IvParameterSpec(start));
      plain = cipher.doFinal(cipherText);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
    if (plain.length == 0) {
      return plain;
    }
    int padding = plain[plain.length - 1] & 0xff;
    if (padding == 0 || padding > BLOCK_BYTES || padding > plain.length) {
      throw new OptionException(
          "Incorrect number of padding bytes (" + padding + ") found on decrypted data");
    }
    return Arrays.copyOf(plain, plain.length - padding);
  }

  /** Whole groups are decoded, and of a last one that is not whole what there is. */
  private static byte[] decoded(byte[] text) throws OptionException {
    int length = 0;
    byte[] kept = new byte[text.length];
    for (byte character : text) {
      boolean valid =
          (character >= 'A' && character <= 'Z')
              || (character >= 'a' && character <= 'z')
              || (character >= '0' && character <= '9')
              || character == '+'
              || character == '/';
      if (valid) {
        kept[length++] = character;
      } else if (character != '=' && character != '\n') {
        throw new OptionException("Base64 data contains invalid characters");
      }
    }
    int last = length % 4 == 1 ? length - 1 : length;
    return Base64.getDecoder().decode(Arrays.copyOf(kept, last));
  }

  private static byte[] content(String file) throws OptionException {
    Errno problem;
    try {
      Path path = Path.of(file);
      if (Files.isDirectory(path)) {
        throw new OptionException(
            "Unable to read "
                + file
                + ": Error reading file \u201c"
                + file
                + "\u201d: "
                + Errno.EISDIR.message());
      }
      return Files.readAllBytes(path);
    } catch (NoSuchFileException e) {
      problem = Errno.ENOENT;
    } catch (IOException e) {
      problem = Errno.EACCES;
    }
    throw new OptionException(
        "Unable to read "
            + file
            + ": Failed to open file \u201c"
            + file
            + "\u201d: "
            + problem.message());
  }
}
