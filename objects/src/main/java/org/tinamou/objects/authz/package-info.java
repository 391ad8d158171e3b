/**
 * Who may use something: names of peers go in, yes or no comes out.
 *
 * <p>Authorizations are defined on the main loop and asked on any thread. Start reading at {@link
 * org.tinamou.objects.authz.Authorization}.
 */
package org.tinamou.objects.authz;
