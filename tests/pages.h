/* SPDX-License-Identifier: MIT
 *
 * Pages of memory, and what may be done with them. An operation that fails fails the test.
 */
#ifndef PAGES_H
#define PAGES_H

#include <stddef.h>

typedef enum { NO_ACCESS, READ_ONLY, READ_WRITE } page_access;

size_t page_size(void);

/* To be read and written; freed with the same size, a multiple of a page's. */
char *pages_new(size_t bytes);
void pages_free(char *pages, size_t bytes);

/* Of all pages that hold one of these bytes. No effect where no page can be protected (WebAssembly). */
void pages_allow(char *from, size_t bytes, page_access access);

/* The same between two inaccessible pages. */
char *guarded_pages_new(size_t bytes);
void guarded_pages_free(char *pages, size_t bytes);

#endif
