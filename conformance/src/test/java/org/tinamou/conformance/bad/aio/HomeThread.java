package org.tinamou.conformance.bad.aio;

/** Stands for the annotation of the same name in aio. */
@interface HomeThread {}
