/**
 * The VMDK format, as far as it can be written from its first byte to its last: compressed grains
 * with markers between them, and tables that follow what they tell of.
 *
 * <p>No loop and no node: whoever has the disk's bytes hands them over, on any thread. Depends on
 * {@code block} for its errors. Start reading at {@link
 * org.tinamou.drivers.format.vmdk.VmdkStream}; the format is described in VMware's technical note
 * "Virtual Disk Format 5.0".
 */
package org.tinamou.drivers.format.vmdk;
