package org.tinamou.qapi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinamou.base.Parsed;

/** Messages are those of qemu-storage-daemon --blockdev and of qemu-img 7.2. */
final class OptionReaderTest {
  private static OptionReader typed(String json) {
    return OptionReader.of(tree(json), OptionReader.Style.TYPED);
  }

  private static OptionReader loose(String json) {
    return OptionReader.of(tree(json), OptionReader.Style.LOOSE);
  }

  private static Json.Members tree(String json) {
    if (JsonParser.parse(json) instanceof Parsed.Value<Json>(Json.Members members)) {
      return members;
    }
    throw new AssertionError(json);
  }

  private static OptionReader written(String text) throws OptionException {
    return OptionReader.of(
        OptionTree.parse(text, "driver").options(), OptionReader.Style.KEY_VALUE);
  }

  /** Reads a node and what is below it; drivers are as in the reference. */
  static void readNode(OptionReader options) throws OptionException {
    String driver = options.word("driver", List.of("null-co", "raw", "quorum", "nbd", "qcow2"));
    options.stringOrNull("node-name");
    options.wordOrNull("discard", List.of("ignore", "unmap"));
    options.boolOrNull("cache.direct");
    options.boolOrNull("cache.no-flush");
    options.boolOrNull("read-only");
    options.boolOrNull("auto-read-only");
    options.boolOrNull("force-share");
    options.wordOrNull("detect-zeroes", List.of("off", "on", "unmap"));
    switch (driver) {
      case "null-co" -> {
        options.bytesOrNull("size");
        options.uint64OrNull("latency-ns");
        options.boolOrNull("read-zeroes");
      }
      case "raw" -> {
        options.bytesOrNull("offset");
        options.bytesOrNull("size");
        readChild(options.choice("file", "BlockdevRef"));
      }
      case "quorum" -> {
        for (OptionReader.Choice child : options.choices("children", "BlockdevRef")) {
          readChild(child);
        }
        options.int64("vote-threshold", 0);
      }
      case "qcow2" -> {
        options.choiceOrNull("backing", "BlockdevRefOrNull");
        options.uint32OrNull("x-32");
        readChild(options.choice("file", "BlockdevRef"));
      }
      default -> {
        OptionReader server = options.object("server");
        server.word("type", List.of("inet", "unix"));
        server.string("host");
        server.string("port");
        server.boolOrNull("ipv4");
      }
    }
    options.finish();
  }

  private static void readChild(OptionReader.Choice child) throws OptionException {
    if (child instanceof OptionReader.Choice.Inline(OptionReader options)) {
      readNode(options);
    }
  }

  private static String refusal(OptionReader options) {
    return assertThrows(OptionException.class, () -> readNode(options)).getMessage();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          {}~Parameter 'driver' is missing
          {"driver":5}~Invalid parameter type for 'driver', expected: string
          {"driver":"x"}~Parameter 'driver' does not accept value 'x'
          {"driver":"null-co","size":"5"}~Invalid parameter type for 'size', expected: integer
          {"driver":"null-co","size":null}~Invalid parameter type for 'size', expected: integer
          {"driver":"null-co","size":1.0}~Invalid parameter type for 'size', expected: integer
          {"driver":"null-co","size":{}}~Invalid parameter type for 'size', expected: integer
          {"driver":"null-co","size":9223372036854775808}~Invalid parameter type for 'size', \
          expected: integer
          {"driver":"null-co","read-only":"on"}~Invalid parameter type for 'read-only', expected: \
          boolean
          {"driver":"null-co","latency-ns":18446744073709551616}~Parameter 'latency-ns' expects \
          uint64
          {"driver":"null-co","latency-ns":"1"}~Parameter 'latency-ns' expects uint64
          {"driver":"null-co","detect-zeroes":"x"}~Parameter 'detect-zeroes' does not accept value \
          'x'
          {"driver":"null-co","cache":5}~Invalid parameter type for 'cache', expected: object
          {"driver":"null-co","cache":{"direct":5}}~Invalid parameter type for 'cache.direct', \
          expected: boolean
          {"driver":"null-co","cache":{"x":5}}~Parameter 'cache.x' is unexpected
          {"driver":"null-co","bogus":1}~Parameter 'bogus' is unexpected
          {"driver":"raw"}~Parameter 'file' is missing
          {"driver":"raw","file":5}~Invalid parameter type for 'file', expected: BlockdevRef
          {"driver":"raw","file":null}~Invalid parameter type for 'file', expected: BlockdevRef
          {"driver":"raw","file":{}}~Parameter 'file.driver' is missing
          {"driver":"raw","file":{"driver":"nope"}}~Parameter 'driver' does not accept value 'nope'
          {"driver":"raw","file":{"driver":"null-co","size":"x"}}~Invalid parameter type for \
          'file.size', expected: integer
          {"driver":"raw","file":{"driver":"raw"}}~Parameter 'file.file' is missing
          {"driver":"quorum","children":5}~Invalid parameter type for 'children', expected: array
          {"driver":"quorum","children":[5]}~Invalid parameter type for 'null', expected: \
          BlockdevRef
          {"driver":"quorum","children":["a",{"driver":"null-co","bogus":1}]}~Parameter \
          'children[1].bogus' is unexpected
          {"driver":"quorum","children":["a",{"driver":"null-co","cache":{"direct":7}}]}~Invalid \
          parameter type for 'children[1].cache.direct', expected: boolean
          {"driver":"qcow2","file":"f","backing":5}~Invalid parameter type for 'backing', expected: \
          BlockdevRefOrNull
          {"driver":"qcow2","file":"f","x-32":4294967296}~Parameter 'x-32' expects uint32_t
          {"driver":"qcow2","file":"f","x-32":-1}~Parameter 'x-32' expects uint32_t
          {"driver":"nbd","server":{"type":"inet","host":"a"}}~Parameter 'server.port' is missing
          {"driver":"nbd","server":{"type":"nope"}}~Parameter 'type' does not accept value 'nope'
          """)
  void typedMessages(String json, String expected) {
    assertEquals(expected, refusal(typed(json)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          ``~Parameter 'driver' is missing
          driver.x=1~Parameters 'driver.*' are unexpected
          null-co,size=64k~Parameter 'size' expects integer
          null-co,size=~Parameter 'size' expects integer
          null-co,size=9223372036854775808~Parameter 'size' expects integer
          null-co,size.a=1~Parameters 'size.*' are unexpected
          null-co,size.0=1~Parameters 'size.*' are unexpected
          null-co,latency-ns=18446744073709551616~Parameter 'latency-ns' expects integer
          null-co,read-only=maybe~Parameter 'read-only' expects 'on' or 'off'
          null-co,read-only=ON~Parameter 'read-only' expects 'on' or 'off'
          null-co,bogus=1~Parameter 'bogus' is unexpected
          null-co,bogus.a=1~Parameter 'bogus' is unexpected
          null-co,cache=on~Invalid parameter type for 'cache', expected: object
          null-co,cache.nope=on~Parameter 'cache.nope' is unexpected
          raw,file.driver=null-co,file.bogus=1~Parameter 'file.bogus' is unexpected
          raw,file.driver=null-co,file.size=x~Parameter 'file.size' expects integer
          raw,file.driver=null-co,file.cache.direct=maybe~Parameter 'file.cache.direct' expects \
          'on' or 'off'
          raw,file.driver=null-co,file.detect-zeroes=maybe~Parameter 'detect-zeroes' does not \
          accept value 'maybe'
          raw,file.a=1~Parameter 'file.driver' is missing
          quorum,children=a~Invalid parameter type for 'children', expected: array
          quorum,children.0.0=a~Invalid parameter type for 'null', expected: BlockdevRef
          quorum,children.0.driver=null-co,children.1.driver=null-co,children.1.bogus=1~Parameter \
          'children.1.bogus' is unexpected
          qcow2,file=f,x-32=4294967296~Parameter 'x-32' expects uint32_t
          nbd,server.type=inet,server.host=a,server.port=1,server.bogus=2~Parameter 'server.bogus' \
          is unexpected
          """)
  void writtenMessages(String text, String expected) throws OptionException {
    assertEquals(expected, refusal(written(text)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      textBlock =
          """
          {"driver":"null-co","size":"64x"}~Parameter 'size' expects a non-negative number below 2^64
          {"driver":"null-co","size":-1}~Parameter 'size' expects a non-negative number below 2^64
          {"driver":"null-co","size":1.5}~Parameter 'size' expects a non-negative number below 2^64
          {"driver":"null-co","size":true}~Parameter 'size' expects a non-negative number below 2^64
          {"driver":"null-co","latency-ns":"1k"}~Parameter 'latency-ns' expects a number
          {"driver":"null-co","read-only":"maybe"}~Parameter 'read-only' expects 'on' or 'off'
          {"driver":"null-co","read-only":1}~Parameter 'read-only' expects 'on' or 'off'
          {"driver":"null-co","cache.direct":"maybe"}~Parameter 'cache.direct' expects 'on' or 'off'
          {"driver":"null-co","detect-zeroes":1}~invalid parameter value: 1
          {"driver":"raw","file":{"driver":"null-co","size":"x"}}~Parameter 'size' expects a \
          non-negative number below 2^64
          {"driver":"raw","file.driver":"null-co","file.detect-zeroes":"x"}~invalid parameter \
          value: x
          {"driver":"quorum","children.0.driver":"null-co","children.2.driver":"null-co"}~Option \
          children is not a valid array
          {"driver":"nbd","server.type":"foo"}~Parameter 'type' does not accept value 'foo'
          {"driver":"nbd","server":{"type":"inet","host":"a"}}~Parameter 'port' is missing
          {"driver":"nbd","server":{"type":"inet","host":"a","port":1,"bogus":3}}~Parameter 'bogus' \
          is unexpected
          {"driver":"nbd","server":{"type":"inet","host":5,"port":1,"ipv4":7}}~Parameter 'ipv4' \
          expects 'on' or 'off'
          """)
  void looseMessages(String json, String expected) {
    assertEquals(expected, refusal(loose(json)));
  }

  @Test
  void valuesOfEachStyle() throws OptionException {
    OptionReader typed = typed("{'b':true,'i':-5,'u':18446744073709551615,'w':-1,'n':0}");
    assertEquals(true, typed.bool("b", false));
    assertEquals(-5, typed.int64("i", 0));
    assertEquals(-1, typed.uint64("u", 0));
    assertEquals(-1, typed.uint64("w", 0));
    assertEquals(0, typed.uint32("n", 3));
    assertEquals(7, typed.int64("absent", 7));
    assertEquals("[]", typed.unread().toString());

    OptionReader written = written("b=yes,c=n,i= +0x10,o=010,u=-1,s=64k,e=");
    assertEquals(true, written.bool("b", false));
    assertEquals(false, written.bool("c", true));
    assertEquals(16, written.int64("i", 0));
    assertEquals(8, written.bytes("o", 0));
    assertEquals(-1, written.uint64("u", 0));
    assertEquals(65536, written.sizeOrNull("s"));
    assertEquals("", written.string("e"));
    written.finish();

    OptionReader loose =
        loose("{'b':'on','c':false,'n':null,'o':{},'s':'1.5k','t':5,'file.x':1,'file':{'y':2}}");
    assertEquals(true, loose.bool("b", false));
    assertEquals(false, loose.bool("c", true));
    assertNull(loose.bytesOrNull("n"));
    assertNull(loose.bytesOrNull("o"));
    assertEquals(1536, loose.bytes("s", 0));
    assertEquals("5", loose.string("t"));
    OptionReader file = loose.object("file");
    assertEquals(1, file.int64("x", 0));
    assertEquals("[y]", file.unread().toString());
    assertEquals("[]", loose.unread().toString());
  }

  @Test
  void namesObjectsAndNull() throws OptionException {
    OptionReader options = typed("{'a':'x','b':{'c':1},'d':null,'e':['y',{'z':'2'}]}");
    assertEquals(new OptionReader.Choice.Named("x"), options.choice("a", "BlockdevRef"));
    OptionReader.Choice inline = options.choice("b", "BlockdevRef");
    assertEquals(1, ((OptionReader.Choice.Inline) inline).options().int64("c", 0));
    assertEquals(new OptionReader.Choice.None(), options.choiceOrNull("d", "BlockdevRefOrNull"));
    List<OptionReader.Choice> all = options.choices("e", "BlockdevRef");
    assertEquals(2, all.size());
    assertEquals(
        "Parameter 'e[1].z' is unexpected",
        assertThrows(OptionException.class, options::finish).getMessage());
    assertNull(options.choiceOrNull("absent", "BlockdevRef"));
    assertEquals(List.of(), options.choices("absent", "BlockdevRef"));
  }

  @Test
  void looseLeftoversHaveTheirWholeName() {
    OptionReader options = loose("{'bogus':{'a':1},'size':1,'size.x':2}");
    assertEquals(List.of("bogus.a", "size", "size.x"), options.unread());
  }

  @Test
  void listsOfObjectsAndStrings() throws OptionException {
    OptionReader options = typed("{'o':[{'a':1}],'s':['x','y'],'t':[5],'u':[5]}");
    assertEquals(1, options.objects("o").getFirst().int64("a", 0));
    assertEquals(List.of("x", "y"), options.strings("s"));
    assertEquals(
        "Invalid parameter type for 't[0]', expected: object",
        assertThrows(OptionException.class, () -> options.objects("t")).getMessage());
    assertEquals(
        "Invalid parameter type for 'u[0]', expected: string",
        assertThrows(OptionException.class, () -> options.strings("u")).getMessage());
  }
}
