package org.tinamou.conformance.tidy;

import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.LambdaExpressionTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.tree.Tree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.SourcePositions;
import com.sun.source.util.TreeScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.jspecify.annotations.Nullable;

/** Lengths of files and methods, and leftovers that must not stay. */
final class JavaTidy {
  static final int MOST_FILE_LINES = 600;
  static final int MOST_METHOD_LINES = 80;

  /** Written in two parts so that this file does not find itself. */
  private static final Pattern MARKER = Pattern.compile("\\b(TO" + "DO|FIX" + "ME|XX" + "X)\\b");

  private static final Pattern SKIPPED = Pattern.compile("@Dis" + "abled\\b");
  private static final Pattern SLEEP = Pattern.compile("\\bThread\\s*\\.\\s*sl" + "eep\\b");

  private static final Pattern CLOCK =
      Pattern.compile("\\bSystem\\s*\\.\\s*(nano" + "Time|current" + "TimeMillis)\\b");

  private static final JavaCompiler COMPILER = ToolProvider.getSystemJavaCompiler();

  private JavaTidy() {}

  static List<String> findings(String name, String text) throws IOException {
    List<String> findings = new ArrayList<>();
    int number = 0;
    for (String line : text.lines().toList()) {
      number++;
      if (MARKER.matcher(line).find()) {
        findings.add(name + ":" + number + ": marker of unfinished work");
      }
      if (SKIPPED.matcher(line).find()) {
        findings.add(name + ":" + number + ": test switched off");
      }
      if (isTest(name) && SLEEP.matcher(line).find()) {
        findings.add(name + ":" + number + ": test sleeps");
      }
      if (isTest(name) && CLOCK.matcher(line).find()) {
        findings.add(name + ":" + number + ": test reads the clock");
      }
    }
    if (number > MOST_FILE_LINES) {
      findings.add(name + ": " + number + " lines, more than " + MOST_FILE_LINES);
    }
    findings.addAll(longMethods(name, text));
    return findings;
  }

  private static boolean isTest(String name) {
    return name.contains("src/test/") && !name.contains("/conformance/bad/");
  }

  private static List<String> longMethods(String name, String text) throws IOException {
    JavaFileObject source =
        new SimpleJavaFileObject(URI.create("string:///Source.java"), JavaFileObject.Kind.SOURCE) {
          @Override
          public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
          }
        };
    JavacTask task =
        (JavacTask) COMPILER.getTask(null, null, problem -> {}, null, null, List.of(source));
    SourcePositions positions = Trees.instance(task).getSourcePositions();
    List<String> findings = new ArrayList<>();
    for (CompilationUnitTree unit : task.parse()) {
      unit.accept(
          new TreeScanner<@Nullable Void, @Nullable Void>() {
            @Override
            public @Nullable Void visitMethod(MethodTree method, @Nullable Void unused) {
              measure(method, method.getName().toString());
              return super.visitMethod(method, null);
            }

            @Override
            public @Nullable Void visitLambdaExpression(
                LambdaExpressionTree lambda, @Nullable Void unused) {
              measure(lambda, "a lambda");
              return super.visitLambdaExpression(lambda, null);
            }

            private void measure(Tree tree, String what) {
              long start = positions.getStartPosition(unit, tree);
              long end = positions.getEndPosition(unit, tree);
              if (start < 0 || end < 0) {
                return;
              }
              long first = unit.getLineMap().getLineNumber(start);
              long lines = unit.getLineMap().getLineNumber(end) - first + 1;
              if (lines > MOST_METHOD_LINES) {
                findings.add(
                    "%s:%d: %s has %d lines, more than %d"
                        .formatted(name, first, what, lines, MOST_METHOD_LINES));
              }
            }
          },
          null);
    }
    return findings;
  }
}
