package org.tinamou.tools.cli;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tinamou.block.open.ImagePolicy;
import org.tinamou.block.open.ImagePolicy.References;
import org.tinamou.tools.getopt.LongOption;
import org.tinamou.tools.getopt.LongOption.Argument;

/**
 * {@code --untrusted} and {@code --backing-policy}, which all tools have: how far the images are
 * believed that a command opens.
 */
public final class TrustOptions {
  private static final int UNTRUSTED = 1001;
  private static final int BACKING_POLICY = 1002;

  /** To be added to a tool's own. */
  public static final List<LongOption> LONG =
      List.of(
          LongOption.ofOurs("untrusted", Argument.NONE, UNTRUSTED),
          LongOption.ofOurs("backing-policy", Argument.REQUIRED, BACKING_POLICY));

  private boolean untrusted;
  private @Nullable String references;

  /** Takes one of the options; false if it is another one. */
  public boolean take(int code, @Nullable String value) throws ToolException {
    if (code == UNTRUSTED) {
      untrusted = true;
      return true;
    }
    if (code != BACKING_POLICY) {
      return false;
    }
    if (!List.of("any", "same-directory", "none").contains(value)) {
      throw new ToolException(
          "Invalid backing policy '" + value + "' (expecting any, same-directory or none)");
    }
    references = value;
    return true;
  }

  /** What they add up to, or null if none was given. */
  public @Nullable ImagePolicy policy() {
    if (references == null) {
      return untrusted ? ImagePolicy.UNTRUSTED : null;
    }
    References named =
        references.equals("any")
            ? References.ANY
            : references.equals("none") ? References.NONE : References.SAME_DIRECTORY;
    return (untrusted ? ImagePolicy.UNTRUSTED : ImagePolicy.TRUSTING).withReferences(named);
  }
}
