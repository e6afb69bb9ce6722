/* SPDX-License-Identifier: MIT
 *
 * Reads a tuning file (machine_tuning.h). Everything is checked before anything is published; the text lies on the stack, its
 * size is bounded, and the parser never goes back.
 */
#define _POSIX_C_SOURCE 200809L
#include "machine_tuning.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

/* --------------------------------------------------------------------------------------------- the machine */

#if defined(__x86_64__)

static void read_cpu(char cpu[SL_TUNE_STRING], char caches[SL_TUNE_STRING])
{
    enum { AMD_EXTENSIONS = 22, NO_CACHE = 0, INSTRUCTIONS = 2 };
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    char vendor[13] = "";
    __get_cpuid(0, &eax, &ebx, &ecx, &edx);
    memcpy(vendor, &ebx, 4);
    memcpy(vendor + 4, &edx, 4);
    memcpy(vendor + 8, &ecx, 4);
    for (char *c = vendor; *c; c++)
        if (*c < ' ' || *c > '~' || *c == '"' || *c == '\\')
            *c = '?'; /* a hypervisor may say anything, and this becomes a JSON string */
    eax = 0;
    __get_cpuid(1, &eax, &ebx, &ecx, &edx);
    snprintf(cpu, SL_TUNE_STRING, "%s %08x", vendor, eax);

    /* AMD has the same table as Intel, elsewhere. */
    unsigned leaf = 4;
    if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) && ecx >> AMD_EXTENSIONS & 1)
        leaf = 0x8000001d;
    for (unsigned i = 0, length = 0; i < 8 && __get_cpuid_count(leaf, i, &eax, &ebx, &ecx, &edx); i++) {
        if ((eax & 31) == NO_CACHE)
            break;
        if ((eax & 31) == INSTRUCTIONS)
            continue;
        const uint64_t bytes =
            (uint64_t)((ebx >> 22) + 1) * ((ebx >> 12 & 1023) + 1) * ((ebx & 4095) + 1) * ((uint64_t)ecx + 1);
        length += (unsigned)snprintf(caches + length, SL_TUNE_STRING - length, "%s%lluK", length ? " " : "",
                                     (unsigned long long)(bytes >> 10));
    }
}

#else

/* Linux lets programs read the CPU's name where it says so. The sizes of caches it does not, and the name
 * decides them but for the last level. */
static void read_cpu(char cpu[SL_TUNE_STRING], char caches[SL_TUNE_STRING])
{
    unsigned long long midr = 0;
#if defined(__aarch64__) && defined(__linux__)
    const unsigned long hwcap_cpuid = 1ul << 11; /* HWCAP_CPUID of the Linux arm64 ABI */
    if (getauxval(AT_HWCAP) & hwcap_cpuid)
        __asm__("mrs %0, midr_el1" : "=r"(midr));
#endif
    snprintf(cpu, SL_TUNE_STRING, "midr %08llx", midr);
    (void)caches;
}

#endif

sl_machine sl_machine_read(void)
{
    sl_machine m = {"", "", ""};
    size_t length = 0;
    read_cpu(m.cpu, m.caches);
    for (size_t i = 0; i < sl_isa_count(); i++)
        if (sl_isa_available(sl_isa_name_at(i)))
            length += (size_t)snprintf(m.isas + length, sizeof m.isas - length, "%s%s", length ? " " : "",
                                       sl_isa_name_at(i));
    return m;
}

/* ----------------------------------------------------------------------------------------------- the parser */

typedef struct {
    const char *at, *end;
} cursor;

static void skip_spaces(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\n' || *c->at == '\r' || *c->at == '\t'))
        c->at++;
}

static bool take(cursor *c, char what)
{
    skip_spaces(c);
    if (c->at == c->end || *c->at != what)
        return false;
    c->at++;
    return true;
}

static bool take_string(cursor *c, char text[SL_TUNE_STRING])
{
    size_t n = 0;
    if (!take(c, '"'))
        return false;
    for (; c->at < c->end && *c->at != '"'; c->at++) {
        if (*c->at < ' ' || *c->at > '~' || *c->at == '\\' || n + 1 == SL_TUNE_STRING)
            return false;
        text[n++] = *c->at;
    }
    text[n] = '\0';
    return take(c, '"');
}

static bool take_key(cursor *c, const char *key)
{
    char text[SL_TUNE_STRING];
    return take_string(c, text) && strcmp(text, key) == 0 && take(c, ':');
}

static bool take_pair(cursor *c, const char *key, char text[SL_TUNE_STRING])
{
    return take_key(c, key) && take_string(c, text);
}

static bool take_from(cursor *c, size_t *from)
{
    enum { DIGITS = 7 }; /* of 2^23 */
    const char *start;
    skip_spaces(c);
    *from = 0;
    for (start = c->at; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
        if (c->at - start == DIGITS)
            return false;
        *from = *from * 10 + (size_t)(*c->at - '0');
    }
    if (c->at == start || (*start == '0' && c->at - start > 1))
        return false;
    return *from == 0 ||
           (*from >= SL_SMALLEST_FROM && *from <= (size_t)SL_SMALLEST_FROM << (SL_SIZE_CLASSES - 2) &&
            (*from & (*from - 1)) == 0);
}

/* Whether a row of kernels.def is that tier of that kernel. */
static bool is_kernel(const char *row, const char *kernel, const char *tier)
{
    const size_t stem = sl_stem_length(row);
    return strlen(kernel) == stem && memcmp(row, kernel, stem) == 0 && strcmp(tier, sl_tier_of(row)) == 0;
}

static size_t slot_of(const char *kernel, const char *tier, const char *dtype)
{
    static const char *const kernel_names[] = {
#define SL_KERNEL(name, ...) #name,
#include "kernels.def"
#undef SL_KERNEL
    };
#define NAME(dt, ...) #dt,
    static const char *const dtype_names[] = {SL_DTYPES(NAME, )};
#undef NAME
    size_t k = 0, d = 0;
    while (k < SL_KERNEL_COUNT && !is_kernel(kernel_names[k], kernel, tier))
        k++;
    while (d < SL_DTYPE_COUNT && strcmp(dtype, dtype_names[d]) != 0)
        d++;
    return k < SL_KERNEL_COUNT && d < SL_DTYPE_COUNT ? k * SL_DTYPE_COUNT + d : SL_SLOT_COUNT;
}

/* The place of the last winner: each one must come after it. */
typedef struct {
    size_t slot;
    int size_class;
} place;

static bool take_winner(cursor *c, uint64_t words[SL_SLOT_COUNT], place *last)
{
    char kernel[SL_TUNE_STRING], dtype[SL_TUNE_STRING], tier[SL_TUNE_STRING], isa[SL_TUNE_STRING];
    size_t from;
    const bool is_whole = take(c, '{') && take_pair(c, "kernel", kernel) && take(c, ',') &&
                          take_pair(c, "dtype", dtype) && take(c, ',') && take_pair(c, "tier", tier) &&
                          take(c, ',') && take_pair(c, "isa", isa) && take(c, ',') && take_key(c, "from") &&
                          take_from(c, &from) && take(c, '}');
    if (!is_whole)
        return false;
    const size_t slot = slot_of(kernel, tier, dtype);
    const int size_class = (int)sl_size_class(from);
    const uint64_t digit = sl_tuning_digit(isa);
    if (slot == SL_SLOT_COUNT || digit == 0 || slot < last->slot ||
        (slot == last->slot && size_class <= last->size_class))
        return false;
    *last = (place){slot, size_class};
    for (int i = size_class; i < SL_SIZE_CLASSES; i++)
        words[slot] = (words[slot] & ~(UINT64_C(15) << 4 * i)) | digit << 4 * i;
    return true;
}

static bool take_winners(cursor *c, uint64_t words[SL_SLOT_COUNT])
{
    place last = {0, -1};
    if (!take_key(c, "winners") || !take(c, '['))
        return false;
    if (!take(c, ']')) {
        do
            if (!take_winner(c, words, &last))
                return false;
        while (take(c, ','));
        if (!take(c, ']'))
            return false;
    }
    if (!take(c, '}'))
        return false;
    skip_spaces(c);
    return c->at == c->end;
}

sl_status sl_tune_parse(const char *text, size_t length, uint64_t words[SL_SLOT_COUNT])
{
    cursor c = {text, text + length};
    char version[SL_TUNE_STRING];
    sl_machine written;
    memset(words, 0, SL_SLOT_COUNT * sizeof *words);
    /* Another version may say the rest in another way. */
    if (!take(&c, '{') || !take_pair(&c, "version", version) || !take(&c, ','))
        return SL_ERR_FILE;
    if (strcmp(version, SOFTLANE_VERSION) != 0)
        return SL_ERR_VERSION;
    if (!take_key(&c, "machine") || !take(&c, '{') || !take_pair(&c, "cpu", written.cpu) || !take(&c, ',') ||
        !take_pair(&c, "isas", written.isas) || !take(&c, ',') || !take_pair(&c, "caches", written.caches) ||
        !take(&c, '}') || !take(&c, ','))
        return SL_ERR_FILE;
    const sl_machine here = sl_machine_read();
    if (strcmp(written.cpu, here.cpu) != 0 || strcmp(written.isas, here.isas) != 0 ||
        strcmp(written.caches, here.caches) != 0)
        return SL_ERR_MACHINE;
    return take_winners(&c, words) ? SL_OK : SL_ERR_FILE;
}

/* How many bytes a file has, which are then in `text`; or more than SL_TUNE_BYTES, where it has more or is no file whose
 * end will come. Never waits: not for the writer of a pipe, not for a terminal. */
static size_t read_file(const char *path, char text[SL_TUNE_BYTES + 1])
{
    size_t length = SL_TUNE_BYTES + 1;
    struct stat is;
    const int file = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file < 0)
        return length;
    if (fstat(file, &is) == 0 && S_ISREG(is.st_mode)) {
        ssize_t got;
        length = 0;
        while (length <= SL_TUNE_BYTES && (got = read(file, text + length, SL_TUNE_BYTES + 1 - length)) != 0)
            length = got < 0 ? SL_TUNE_BYTES + 1 : length + (size_t)got;
    }
    close(file);
    return length;
}

sl_status sl_tune_load(const char *path)
{
    uint64_t words[SL_SLOT_COUNT] = {0};
    if (path) {
        char text[SL_TUNE_BYTES + 1]; /* one more tells that there is more */
        const size_t length = read_file(path, text);
        if (length > SL_TUNE_BYTES)
            return SL_ERR_FILE;
        const sl_status status = sl_tune_parse(text, length, words);
        if (status != SL_OK)
            return status;
    }
    sl_tuning_publish(words);
    return SL_OK;
}
