/**
 * LUKS version 1: guest sectors become encrypted sectors behind a header with eight key slots. The
 * header can also stand in another image, such as qcow2.
 *
 * <p>Requests run in coroutines of any loop; keys are derived on workers. Depends on {@code block}
 * and {@code drivers.crypto}. Start reading at {@link org.tinamou.drivers.format.luks.LuksVolume}.
 */
package org.tinamou.drivers.format.luks;
