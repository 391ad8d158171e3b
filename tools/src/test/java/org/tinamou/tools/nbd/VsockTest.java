package org.tinamou.tools.nbd;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tinamou.tools.ToolRun;
import org.tinamou.tools.img.ImgTool;

/**
 * Addresses between a virtual machine and its host. A virtual machine without a loopback for them
 * has no server to connect to, so this is about what is said when there is none.
 */
final class VsockTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "server.cid=x,server.port=99",
        "server.cid=4294967296,server.port=1",
        "server.cid=-1,server.port=1",
        "server.cid=0x10,server.port=1",
        "server.cid=1,server.port=y",
        "server.cid=1",
        "server.port=1",
        "server.cid=2,server.port=99",
      })
  void asTheReference(String server) throws Exception {
    Programs.require("qemu-img");
    String[] words = {"info", "--image-opts", "driver=nbd,server.type=vsock," + server};
    Programs.Outcome expected = Programs.run(List.of("qemu-img", words[0], words[1], words[2]));
    ToolRun ours = ToolRun.run(new ImgTool(), "qemu-img", "", words);
    assertEquals(expected.output(), ours.out() + ours.err());
    assertEquals(expected.exitCode(), ours.exitCode());
  }
}
