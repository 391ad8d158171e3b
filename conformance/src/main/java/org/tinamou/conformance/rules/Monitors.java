package org.tinamou.conformance.rules;

import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.classfile.Opcode;
import java.lang.classfile.instruction.MonitorInstruction;
import java.util.ArrayList;
import java.util.List;

/** Finds {@code synchronized} blocks, which only the byte code shows. */
final class Monitors {
  private Monitors() {}

  /** The methods of a class file that enter a monitor. */
  static List<String> enteredIn(byte[] classFile) {
    ClassModel model = ClassFile.of().parse(classFile);
    List<String> found = new ArrayList<>();
    for (MethodModel method : model.methods()) {
      boolean enters =
          method.code().stream()
              .flatMap(code -> code.elementStream())
              .anyMatch(
                  element ->
                      element instanceof MonitorInstruction monitor
                          && monitor.opcode() == Opcode.MONITORENTER);
      if (enters) {
        found.add(
            model.thisClass().asInternalName().replace('/', '.')
                + "."
                + method.methodName().stringValue());
      }
    }
    return found;
  }
}
