/** Named objects that users define: secrets, credentials, loops, limits. */
@org.jspecify.annotations.NullMarked
module org.tinamou.objects {
  requires transitive org.tinamou.aio;
  requires transitive org.tinamou.qapi;
  requires org.bouncycastle.provider;
  requires org.bouncycastle.tls;
  requires static org.jspecify;

  exports org.tinamou.objects;
  exports org.tinamou.objects.authz;
  exports org.tinamou.objects.tls;
}
