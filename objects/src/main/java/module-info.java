/** Named objects that users define: secrets, credentials, loops, limits. */
@org.jspecify.annotations.NullMarked
module org.tinamou.objects {
  requires transitive org.tinamou.aio;
  requires transitive org.tinamou.qapi;
  requires static org.jspecify;

  exports org.tinamou.objects;
}
