package org.tinamou.drivers.filter.quorum;

/**
 * How many have to agree, and what else.
 *
 * @param threshold how many children have to say the same
 * @param fifo whether the first child that can be read is believed
 * @param verify whether every difference is an error
 * @param rewrite whether children in the minority are told what the others say
 */
record QuorumSettings(int threshold, boolean fifo, boolean verify, boolean rewrite) {}
