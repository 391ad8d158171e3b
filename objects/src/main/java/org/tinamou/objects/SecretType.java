package org.tinamou.objects;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.tinamou.aio.AnyThread;
import org.tinamou.aio.HomeThread;
import org.tinamou.base.Errno;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** {@code secret}: a password from the command line or from a file. */
public final class SecretType implements ObjectType {
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
    options.wordOrNull("format", List.of("raw", "base64"));
    options.stringOrNull("iv");
    String key = options.stringOrNull("keyid");
    if (data != null && file != null) {
      throw new OptionException("'file' and 'data' are mutually exclusive");
    }
    if (key != null && !(others.find(key) instanceof Secret)) {
      throw new OptionException("No secret with id '" + key + "'");
    }
    if (file != null) {
      return new Secret(content(file));
    }
    if (data == null) {
      throw new OptionException("Either 'file' or 'data' must be provided");
    }
    return new Secret(data.getBytes(StandardCharsets.UTF_8));
  }

  private static byte[] content(String file) throws OptionException {
    Errno problem;
    try {
      return Files.readAllBytes(Path.of(file));
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
