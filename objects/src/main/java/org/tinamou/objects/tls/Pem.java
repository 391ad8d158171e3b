package org.tinamou.objects.tls;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CRL;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import javax.crypto.Cipher;
import javax.crypto.EncryptedPrivateKeyInfo;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import org.jspecify.annotations.Nullable;

/** Certificates and keys in text files. */
final class Pem {
  private static final String BEGIN = "-----BEGIN ";
  private static final long MAX_BYTES = 4 << 20;

  /** rsaEncryption with no parameters. */
  private static final byte[] RSA = {
    0x30, 0x0d, 0x06, 0x09, 0x2a, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xf7, 0x0d, 1, 1, 1, 5, 0
  };

  private Pem() {}

  /** A block between its marks. */
  private record Block(String label, byte[] content) {}

  private static List<Block> blocks(Path file) throws IOException {
    if (Files.size(file) > MAX_BYTES) {
      throw new IOException("the file is too long");
    }
    String text = Files.readString(file, StandardCharsets.ISO_8859_1);
    List<Block> all = new ArrayList<>();
    for (int at = text.indexOf(BEGIN); at >= 0; at = text.indexOf(BEGIN, at)) {
      int labelEnd = text.indexOf("-----", at + BEGIN.length());
      String label = labelEnd < 0 ? "" : text.substring(at + BEGIN.length(), labelEnd);
      int end = text.indexOf("-----END " + label + "-----", at);
      if (labelEnd < 0 || end < 0) {
        throw new IOException("Base64 unexpected header error.");
      }
      try {
        byte[] content = Base64.getMimeDecoder().decode(text.substring(labelEnd + 5, end));
        all.add(new Block(label, content));
      } catch (IllegalArgumentException e) {
        throw new IOException("Base64 decoding error.", e);
      }
      at = end + 5;
    }
    return all;
  }

  /** All certificates of a file, in order; none is an error. */
  static List<X509Certificate> certificates(Path file)
      throws IOException, GeneralSecurityException {
    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    List<X509Certificate> all = new ArrayList<>();
    for (Block block : blocks(file)) {
      if (block.label.equals("CERTIFICATE") || block.label.equals("X509 CERTIFICATE")) {
        all.add(
            (X509Certificate) factory.generateCertificate(new ByteArrayInputStream(block.content)));
      }
    }
    if (all.isEmpty()) {
      throw new IOException("Base64 unexpected header error.");
    }
    return all;
  }

  /** All lists of revoked certificates of a file. */
  static List<CRL> revocations(Path file) throws IOException, GeneralSecurityException {
    CertificateFactory factory = CertificateFactory.getInstance("X.509");
    List<CRL> all = new ArrayList<>();
    for (Block block : blocks(file)) {
      if (block.label.equals("X509 CRL")) {
        all.add(factory.generateCRL(new ByteArrayInputStream(block.content)));
      }
    }
    return all;
  }

  /**
   * The private key of a file.
   *
   * @param password what the key is encrypted with, or null
   */
  static PrivateKey key(Path file, byte @Nullable [] password)
      throws IOException, GeneralSecurityException {
    for (Block block : blocks(file)) {
      switch (block.label) {
        case "PRIVATE KEY" -> {
          return key(block.content);
        }
        case "RSA PRIVATE KEY" -> {
          return key(wrapped(RSA, block.content));
        }
        case "EC PRIVATE KEY" -> {
          return key(wrapped(curve(block.content), block.content));
        }
        case "ENCRYPTED PRIVATE KEY" -> {
          return key(decrypted(block.content, password));
        }
        default -> {
          // Text about the key, or parameters.
        }
      }
    }
    throw new IOException("Base64 unexpected header error.");
  }

  private static PrivateKey key(byte[] encoded) throws GeneralSecurityException {
    PKCS8EncodedKeySpec spec = new PKCS8EncodedKeySpec(encoded);
    GeneralSecurityException last = new GeneralSecurityException("no key");
    for (String kind : List.of("RSA", "EC", "EdDSA", "RSASSA-PSS")) {
      try {
        return KeyFactory.getInstance(kind).generatePrivate(spec);
      } catch (GeneralSecurityException e) {
        last = e;
      }
    }
    throw last;
  }

  private static byte[] decrypted(byte[] content, byte @Nullable [] password)
      throws IOException, GeneralSecurityException {
    if (password == null) {
      throw new IOException("Decryption has failed.");
    }
    char[] characters = new String(password, StandardCharsets.UTF_8).toCharArray();
    try {
      EncryptedPrivateKeyInfo info = new EncryptedPrivateKeyInfo(content);
      String scheme =
          info.getAlgName().startsWith("PBE") && info.getAlgParameters() != null
              ? info.getAlgParameters().toString()
              : info.getAlgName();
      Cipher cipher = Cipher.getInstance(scheme);
      cipher.init(
          Cipher.DECRYPT_MODE,
          SecretKeyFactory.getInstance(scheme).generateSecret(new PBEKeySpec(characters)),
          info.getAlgParameters());
      return info.getKeySpec(cipher).getEncoded();
    } catch (GeneralSecurityException e) {
      throw new IOException("Decryption has failed.", e);
    } finally {
      Arrays.fill(characters, '\0');
    }
  }

  // A key in its own form goes into the general one: SEQUENCE { 0, algorithm, OCTET STRING key }.

  private static byte[] wrapped(byte[] algorithm, byte[] key) {
    byte[] version = {2, 1, 0};
    return element(0x30, version, algorithm, element(0x04, key));
  }

  private static byte[] element(int tag, byte[]... parts) {
    int length = 0;
    for (byte[] part : parts) {
      length += part.length;
    }
    ByteArrayOutputStream all = new ByteArrayOutputStream(length + 6);
    all.write(tag);
    if (length < 128) {
      all.write(length);
    } else {
      int bytes = (39 - Integer.numberOfLeadingZeros(length)) / 8;
      all.write(0x80 | bytes);
      for (int i = bytes - 1; i >= 0; i--) {
        all.write(length >> 8 * i);
      }
    }
    for (byte[] part : parts) {
      all.writeBytes(part);
    }
    return all.toByteArray();
  }

  /** id-ecPublicKey with the curve that an EC key names in its part [0]. */
  private static byte[] curve(byte[] key) throws IOException {
    byte[] publicKey = {6, 7, 0x2a, (byte) 0x86, 0x48, (byte) 0xce, 0x3d, 2, 1};
    for (int i = 0; i + 3 < key.length; i++) {
      int length = key[i + 1];
      if ((key[i] & 0xff) == 0xa0
          && key[i + 2] == 6
          && length == key[i + 3] + 2
          && i + 2 + length <= key.length) {
        return element(0x30, publicKey, Arrays.copyOfRange(key, i + 2, i + 2 + length));
      }
    }
    throw new IOException("the key does not name its curve");
  }
}
