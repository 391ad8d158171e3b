/** Text to values: JSON, key=value option lists and sizes as users write them. */
@org.jspecify.annotations.NullMarked
module org.tinamou.qapi {
  requires transitive org.tinamou.base;
  requires static transitive org.jspecify;

  exports org.tinamou.qapi;
  exports org.tinamou.qapi.schema;
}
