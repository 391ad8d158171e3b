package org.tinamou.qapi.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tinamou.base.Parsed;
import org.tinamou.qapi.Json;
import org.tinamou.qapi.JsonParser;
import org.tinamou.qapi.JsonWriter;
import org.tinamou.qapi.OptionException;
import org.tinamou.qapi.OptionReader;
import org.tinamou.qapi.Peers;

/** The schema: how it is written, what it accepts and what it makes of it. */
final class SchemaTest {
  private static final String SHAPES =
      """
      # The head of a file is nobody's summary.

      enum Kind { circle line arrow[deprecated] }
      struct Point { x: int32, y: int32 }
      struct Named : Point { name?: str }
      union Shape : Named on kind {
        kind: Kind
        case circle: { radius: size }
        case line, arrow: { to: ShapeRef }
      }
      alternate ShapeRef { definition: Shape, reference: str, none: null }

      # Adds a shape.
      # And shows it.
      command shape-add(Shape) -> [Point] [unstable] oob
      command shape-list(kind?: Kind, within?: [Point])
      event SHAPE_GONE(name: str) [unstable]
      """;

  private final Schema shapes = Schema.parse(SHAPES);
  private final Schema schema = Schema.load();

  private static Json.Members json(String text) {
    return (Json.Members) ((Parsed.Value<Json>) JsonParser.parse(text)).value();
  }

  private CommandSchema command(Schema of, String name) {
    return Objects.requireNonNull(of.command(name));
  }

  @Test
  void readsDefinitions() {
    CommandSchema add = command(shapes, "shape-add");
    assertEquals("Adds a shape. And shows it.", add.summary());
    assertTrue(add.outOfBand());
    assertEquals(List.of("unstable"), add.features());
    assertEquals("[Point]", Objects.requireNonNull(add.reply()).name());
    List<String> members = add.arguments().members().stream().map(Type.Member::name).toList();
    assertEquals(List.of("x", "y", "name", "kind"), members);
    assertEquals(3, add.arguments().cases().size());
    CommandSchema list = command(shapes, "shape-list");
    assertFalse(list.outOfBand());
    assertEquals("", list.summary());
    assertEquals(
        List.of("unstable"), Objects.requireNonNull(shapes.event("SHAPE_GONE")).features());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      value = {
        "struct A { x: B }~'A' names an unknown type 'B'",
        "struct A { x int }~schema:1: ':' is expected",
        "struct A {} struct A {}~type 'A' is defined twice",
        "command a() command a()~command 'a' is defined twice",
        "union A on k { k: str, case x: A }~the tag of 'A' is no enum",
        "union A on k {}~'A' has no such tag",
        "thing A {}~schema:1: a definition cannot start with 'thing'",
        "enum E { a } union A on k { k: E, case b: {} }~'A' has a wrong case 'b'",
        "command a([int])~schema:1: a word is expected",
        "command a(int)~'int' is no object",
        "struct A {~schema:1: a word is expected",
      })
  void refusesWhatIsWrong(String text, String message) {
    var refused = assertThrows(IllegalArgumentException.class, () -> Schema.parse(text));
    assertEquals(message, refused.getMessage());
  }

  @Test
  void putsMembersInOrder() throws OptionException {
    Json.Members given = json("{'radius':18446744073709551615,'kind':'circle','y':2,'x':-1}");
    Json.Members checked = command(shapes, "shape-add").check(given);
    assertEquals(
        "{\"x\": -1, \"y\": 2, \"kind\": \"circle\", \"radius\": 18446744073709551615}",
        JsonWriter.compact(checked));
    Json reply = shapes.checkReply("shape-add", json("{'r':[{'y':2,'x':1}]}").members().get("r"));
    assertEquals("[{\"x\": 1, \"y\": 2}]", JsonWriter.compact(reply));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      value = {
        "{}~Parameter 'x' is missing",
        "{'x':1,'y':2147483648}~Parameter 'y' expects int32_t",
        "{'x':1,'y':2}~Parameter 'kind' is missing",
        "{'x':1,'y':2,'kind':'circle'}~Parameter 'radius' is missing",
        "{'x':1,'y':2,'kind':'circle','radius':'1k'}~Parameter 'radius' expects uint64",
        "{'x':1,'y':2,'kind':'line','to':{}}~Parameter 'to.x' is missing",
        "{'x':1,'y':2,'kind':'line','to':5}~Invalid parameter type for 'to', expected: ShapeRef",
        "{'x':1,'y':2,'kind':'line','to':null,'radius':1}~Parameter 'radius' is unexpected",
        "{'x':1,'y':2,'kind':'box','to':null}~Parameter 'kind' does not accept value 'box'",
      })
  void refusesWrongArguments(String arguments, String message) {
    CommandSchema add = command(shapes, "shape-add");
    var refused = assertThrows(OptionException.class, () -> add.check(json(arguments)));
    assertEquals(message, refused.getMessage());
  }

  @Test
  void checksRepliesAndEvents() throws OptionException {
    schema.checkReply("query-jobs", new Json.Array());
    schema.checkEvent("JOB_STATUS_CHANGE", json("{'id':'a','status':'null'}"));
    assertThrows(OptionException.class, () -> schema.checkReply("quit", json("{'x':1}")));
    assertThrows(OptionException.class, () -> schema.checkReply("no-such", json("{}")));
    assertThrows(OptionException.class, () -> schema.checkEvent("NO_SUCH", json("{}")));
    assertThrows(OptionException.class, () -> schema.checkEvent("STOP", json("{'a':1}")));
    var wrong =
        assertThrows(
            OptionException.class,
            () -> schema.checkReply("query-jobs", json("{'r':[{'id':1}]}").members().get("r")));
    assertEquals("Invalid parameter type for 'return[0].id', expected: string", wrong.getMessage());
    assertThrows(
        IllegalStateException.class, () -> command(schema, "query-jobs").ordered(json("{}")));
  }

  @Test
  void everythingHasASummary() {
    for (CommandSchema command : schema.commands()) {
      assertFalse(command.summary().isEmpty(), command.name());
    }
    for (EventSchema event : schema.events()) {
      assertFalse(event.summary().isEmpty(), event.name());
    }
  }

  @Test
  void handlersReadCheckedArguments() throws OptionException {
    OptionReader options =
        command(schema, "block_resize").read(json("{'node-name':'n','size':1024}"));
    assertEquals("n", options.string("node-name"));
    assertEquals(1024L, options.int64OrNull("size"));
  }

  @Test
  void listsTheNamesOfWhatIsOffered() {
    Json.Array names = schema.commandNames(name -> name.startsWith("query-jobs"));
    assertEquals("[{\"name\": \"query-jobs\"}]", JsonWriter.compact(names));
  }

  @Test
  void commandLinesBecomeTyped() throws OptionException {
    Json.Members object =
        schema.options(
            "ObjectOptions", "iothread,id=t,poll-max-ns=0x10,thread-pool-max=7", "qom-type");
    assertEquals(
        "{\"qom-type\": \"iothread\", \"id\": \"t\", \"thread-pool-max\": 7, \"poll-max-ns\": 16}",
        JsonWriter.compact(object));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      value = {
        "--blockdev~driver=raw,file.driver=blkdebug,file.image=x,file.max-transfer=4294967296",
        "--blockdev~driver=raw,file.driver=blkdebug,file.image=x,file.max-transfer.k=k",
        "--blockdev~driver=raw,file.driver=null-co,file.latency-ns=-1,file.size=1k",
        "--blockdev~driver=raw,file.driver=blkdebug,file.image=x,file.inject-error.0.event=x",
        "--blockdev~driver=blkdebug,image=x,inject-error.0.event=none,inject-error.0.once=k",
        "--blockdev~driver=blkdebug,image=x,inject-error.0.event=none,inject-error.0.oce=k",
        "--blockdev~driver=blkdebug,image=x,inject-error.0=read_aio",
        "--blockdev~driver=blkdebug,image=x,inject-error=read_aio",
        "--blockdev~driver=blkdebug,image=x,take-child-perms.0=none",
        "--blockdev~driver=blkdebug,image=x,take-child-perms.0.a=none",
        "--blockdev~driver=qcow2,file=x,backing.0=x",
        "--blockdev~driver=qcow2,file=x,encrypt=x",
        "--blockdev~driver.x=qcow2,file=x",
        "--blockdev~driver=quorum,vote-threshold=2,children.0=x,children.1.x=d",
        "--blockdev~driver=quorum,vote-threshold=2,children.0.driver=null-co,children.0.zz=r",
        "--blockdev~{'driver':'quorum','vote-threshold':2,'children':[{'driver':'null-co','z':1}]}",
        "--blockdev~['x']",
        "--blockdev~{'x':",
        "--object~memory-backend-ram,id=x,size=1k,host-nodes.0=65536",
        "--object~memory-backend-ram,id=x,size=1q",
        "--object~memory-backend-ram,id=x,size=1.5k,zz=1",
        "--object~memory-backend-ram,id=x,size.x=1",
        "--object~secret,id=x,format=hex",
      })
  void refusesCommandLinesAsTheReferenceDoes(String option, String text) throws Exception {
    String output = Peers.output(List.of(Peers.require("qemu-storage-daemon"), option, text));
    String type = option.equals("--blockdev") ? "BlockdevOptions" : "ObjectOptions";
    String implied = option.equals("--blockdev") ? "driver" : "qom-type";
    var refused = assertThrows(OptionException.class, () -> schema.options(type, text, implied));
    String line = output.lines().findFirst().orElse("");
    assertEquals(line.substring(line.indexOf(text) + text.length() + 2), refused.getMessage());
  }
}
