package org.tinamou.objects.authz;

import java.util.ArrayList;
import java.util.List;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;

/** Rules in order; the first that fits decides, else what holds for all others. */
record Rules(List<Rule> rules, boolean othersAllowed) {
  /** One rule. */
  record Rule(String match, boolean glob, boolean allows) {
    boolean fits(String identity) {
      return glob ? Glob.matches(match, identity) : match.equals(identity);
    }
  }

  static Rules read(OptionReader options) throws OptionException {
    List<Rule> rules = new ArrayList<>();
    List<String> policies = List.of("deny", "allow");
    String others = options.wordOrNull("policy", policies);
    for (OptionReader each : options.objects("rules")) {
      String match = each.string("match");
      boolean allows = each.word("policy", policies).equals("allow");
      boolean glob = "glob".equals(each.wordOrNull("format", List.of("exact", "glob")));
      rules.add(new Rule(match, glob, allows));
    }
    return new Rules(List.copyOf(rules), "allow".equals(others));
  }

  boolean allows(String identity) {
    for (Rule each : rules) {
      if (each.fits(identity)) {
        return each.allows;
      }
    }
    return othersAllowed;
  }
}
