/* SPDX-License-Identifier: MIT
 *
 * See pages.h.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "pages.h"

#include "test_matrix.h"

#if defined(_WIN32)
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

size_t page_size(void)
{
    SYSTEM_INFO system;
    GetSystemInfo(&system);
    return system.dwPageSize;
}

char *pages_new(size_t bytes)
{
    char *pages = VirtualAlloc(NULL, bytes, MEM_COMMIT | MEM_RESERVE, PAGE_READWRITE);
    assert_non_null(pages);
    return pages;
}

void pages_free(char *pages, size_t bytes)
{
    (void)bytes;
    VirtualFree(pages, 0, MEM_RELEASE);
}

void pages_allow(char *from, size_t bytes, page_access access)
{
    static const DWORD words[] = {PAGE_NOACCESS, PAGE_READONLY, PAGE_READWRITE};
    DWORD before;
    assert_true(VirtualProtect(from, bytes, words[access], &before));
}

#elif defined(__wasm__)
#include <stdlib.h>

size_t page_size(void) { return 4096; }

char *pages_new(size_t bytes)
{
    char *pages = aligned_alloc(page_size(), bytes);
    assert_non_null(pages);
    return memset(pages, 0, bytes);
}

void pages_free(char *pages, size_t bytes)
{
    (void)bytes;
    free(pages);
}

void pages_allow(char *from, size_t bytes, page_access access) { (void)from, (void)bytes, (void)access; }

#else
#include <sys/mman.h>
#include <unistd.h>

size_t page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

char *pages_new(size_t bytes)
{
    char *pages = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(pages != MAP_FAILED);
    return pages;
}

void pages_free(char *pages, size_t bytes) { munmap(pages, bytes); }

void pages_allow(char *from, size_t bytes, page_access access)
{
    static const int words[] = {PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE};
    assert_int_equal(mprotect(from, bytes, words[access]), 0);
}

#endif

char *guarded_pages_new(size_t bytes)
{
    const size_t page = page_size();
    char *all = pages_new(bytes + 2 * page);
    pages_allow(all, page, NO_ACCESS);
    pages_allow(all + page + bytes, page, NO_ACCESS);
    return all + page;
}

void guarded_pages_free(char *pages, size_t bytes)
{
    pages_free(pages - page_size(), bytes + 2 * page_size());
}
