package org.tinamou.nbd.server;

import org.jspecify.annotations.Nullable;
import org.tinamou.objects.authz.Authorization;
import org.tinamou.objects.tls.TlsCredentials;

/**
 * How clients have to encrypt what they send. Nothing is told to those that do not.
 *
 * @param credentials of a server
 * @param authorization who may come, by the names that clients prove to have; null for all whom the
 *     credentials let in
 */
public record ServerTls(TlsCredentials credentials, @Nullable Authorization authorization) {}
