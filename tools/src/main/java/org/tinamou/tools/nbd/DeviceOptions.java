package org.tinamou.tools.nbd;

import java.util.List;
import org.tinamou.aio.Coroutine;
import org.tinamou.aio.InCoroutine;
import org.tinamou.drivers.protocol.nbd.KernelDevice;
import org.tinamou.tools.cli.Console;
import org.tinamou.tools.cli.LoopRunner;
import org.tinamou.tools.cli.ToolException;

/**
 * {@code -c} and {@code -d}, which are about devices of the kernel's own NBD client. Devices can be
 * taken from their servers, but not given one: that needs the kernel's module, and is left to
 * {@code nbd-client}.
 */
final class DeviceOptions {
  private static final String NO_MODULE =
      "The kernel's NBD client is not there: its devices come with the module nbd.";

  private DeviceOptions() {}

  /** Takes a device from its server. */
  static int disconnect(Console console, String path) throws ToolException {
    KernelDevice device = new KernelDevice(path);
    int result = LoopRunner.run("disconnect", context -> context.callBlocking(device::disconnect));
    if (result < 0) {
      throw refusal("Cannot open ", path, result);
    }
    console.line(path + " disconnected");
    return 0;
  }

  /** Says why a device cannot be given the image that was opened. */
  @InCoroutine
  static ToolException cannotConnect(String path) {
    KernelDevice device = new KernelDevice(path);
    int result = Coroutine.current().context().callBlocking(device::look);
    return result < 0
        ? refusal("Failed to open ", path, result)
        : new ToolException(
            1,
            List.of("Cannot connect " + path + ": devices of the kernel are not supported"),
            "Serve the image on a socket and use nbd-client for the device.");
  }

  private static ToolException refusal(String doing, String path, int result) {
    String message = doing + path + ": " + KernelDevice.reason(result);
    return KernelDevice.isClientLoaded()
        ? new ToolException(message)
        : new ToolException(1, List.of(message), NO_MODULE);
  }
}
