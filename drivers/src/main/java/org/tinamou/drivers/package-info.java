/**
 * The list of drivers, in one place.
 *
 * <p>Any thread. Depends on the packages of the drivers, which do not depend on it. Start reading
 * at {@link org.tinamou.drivers.Drivers}.
 */
package org.tinamou.drivers;
