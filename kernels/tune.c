/* SPDX-License-Identifier: MIT
 *
 * Reads a tuning file (machine_tuning.h). Everything is checked before anything is published; the text lies on the stack, its
 * size is bounded, and the parser never goes back.
 */
#define _POSIX_C_SOURCE 200809L
#include "machine_tuning.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache.h"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

/* --------------------------------------------------------------------------------------------- the machine */

/* In the place of snprintf, which a signal handler may not call. What does not fit is left out. */
static void append(char text[SL_TUNE_STRING], const char *more)
{
    size_t n = strlen(text);
    while (*more && n + 1 < SL_TUNE_STRING)
        text[n++] = *more++;
    text[n] = '\0';
}

/* With at least so many digits. */
static void append_number(char text[SL_TUNE_STRING], uint64_t number, unsigned base, int digits)
{
    char reversed[64 + 1], *end = reversed + sizeof reversed - 1;
    *end = '\0';
    for (; number || digits > 0; number /= base, digits--)
        *--end = "0123456789abcdef"[number % base];
    append(text, end);
}

#if defined(__x86_64__) || defined(__i386__)

static void read_cpu(char cpu[SL_TUNE_STRING], char caches[SL_TUNE_STRING])
{
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
    append(cpu, vendor);
    append(cpu, " ");
    append_number(cpu, eax, 16, 8);

    sl_cache cache;
    for (unsigned i = 0; i < SL_CPUID_CACHES && sl_cache_by_cpuid(sl_cpuid, i, &cache); i++) {
        if (cache.level == 0)
            continue;
        append(caches, *caches ? " " : "");
        append_number(caches, cache.bytes >> 10, 10, 1);
        append(caches, "K");
    }
}

#else

/* Linux lets programs read the CPU's name where it says so. The sizes of caches it does not, and the name
 * decides them but for the last level. */
static void read_cpu(char cpu[SL_TUNE_STRING], char caches[SL_TUNE_STRING])
{
    uint64_t midr = 0;
#if defined(__aarch64__) && defined(__linux__)
    const unsigned long hwcap_cpuid = 1ul << 11; /* HWCAP_CPUID of the Linux arm64 ABI */
    if (getauxval(AT_HWCAP) & hwcap_cpuid)
        __asm__("mrs %0, midr_el1" : "=r"(midr));
#endif
    append(cpu, "midr ");
    append_number(cpu, midr, 16, 8);
    (void)caches;
}

#endif

sl_machine sl_machine_read(void)
{
    sl_machine m = {"", "", ""};
    read_cpu(m.cpu, m.caches);
    for (size_t i = 0; i < sl_isa_count(); i++)
        if (sl_isa_available(sl_isa_name_at(i))) {
            append(m.isas, *m.isas ? " " : "");
            append(m.isas, sl_isa_name_at(i));
        }
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
    const size_t slot = k * SL_DTYPE_COUNT + d;
    return d < SL_DTYPE_COUNT && slot < SL_SLOT_COUNT ? slot : SL_SLOT_COUNT;
}

/* Whether it is one of these words with spaces between them. */
static bool is_among(const char *word, const char *words)
{
    const size_t length = strlen(word);
    for (; *words; words += *words == ' ') {
        const size_t n = strcspn(words, " ");
        if (n == length && memcmp(words, word, n) == 0)
            return true;
        words += n;
    }
    return false;
}

typedef struct {
    const char *isas; /* of the machine that the file is of */
    /* The place of the last winner: each one must come after it. */
    size_t last_slot;
    int last_class;
    bool all_usable; /* here, with the bits of the choice made */
} winners;

static bool take_winner(cursor *c, uint64_t words[SL_SLOT_COUNT], winners *w)
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
    if (slot == SL_SLOT_COUNT || !is_among(isa, w->isas) || slot < w->last_slot ||
        (slot == w->last_slot && size_class <= w->last_class))
        return false;
    w->last_slot = slot;
    w->last_class = size_class;
    w->all_usable = w->all_usable && digit != 0;
    for (int i = size_class; i < SL_SIZE_CLASSES; i++)
        words[slot] = (words[slot] & ~((uint64_t)SL_TUNING_DIGIT << SL_TUNING_DIGIT_BITS * i)) |
                      digit << SL_TUNING_DIGIT_BITS * i;
    return true;
}

/* All of them, and the end of the file. */
static bool take_winners(cursor *c, uint64_t words[SL_SLOT_COUNT], winners *w)
{
    if (!take_key(c, "winners") || !take(c, '['))
        return false;
    if (!take(c, ']')) {
        do
            if (!take_winner(c, words, w))
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

/* The rest of a file of another version, which may say it in another way: JSON by its brackets and strings, and nothing
 * behind its end. */
static bool take_rest(cursor *c)
{
    enum { MOST_DEEP = 32 };
    char closing[MOST_DEEP] = "}"; /* of the brackets that are open */
    size_t open = 1;
    for (; open > 0 && c->at < c->end; c->at++) {
        const char at = *c->at;
        if (at == '"') {
            while (++c->at < c->end && *c->at != '"')
                if (*c->at == '\\' && c->at + 1 < c->end)
                    c->at++;
            if (c->at == c->end)
                return false;
        } else if (at == '{' || at == '[') {
            if (open == MOST_DEEP)
                return false;
            closing[open++] = at == '{' ? '}' : ']';
        } else if ((at == '}' || at == ']') && at != closing[--open]) {
            return false;
        }
    }
    skip_spaces(c);
    return open == 0 && c->at == c->end;
}

/* Everything is read before anything but its form is judged. */
sl_status sl_tune_parse(const char *text, size_t length, uint64_t words[SL_SLOT_COUNT])
{
    cursor c = {text, text + length};
    char version[SL_TUNE_STRING];
    sl_machine written;
    winners w = {.isas = written.isas, .last_class = -1, .all_usable = true};
    memset(words, 0, SL_SLOT_COUNT * sizeof *words);
    if (!take(&c, '{') || !take_pair(&c, "version", version))
        return SL_ERR_FILE;
    if (strcmp(version, SOFTLANE_VERSION) != 0)
        return take_rest(&c) ? SL_ERR_VERSION : SL_ERR_FILE;
    if (!take(&c, ',') || !take_key(&c, "machine") || !take(&c, '{') || !take_pair(&c, "cpu", written.cpu) ||
        !take(&c, ',') || !take_pair(&c, "isas", written.isas) || !take(&c, ',') ||
        !take_pair(&c, "caches", written.caches) || !take(&c, '}') || !take(&c, ',') ||
        !take_winners(&c, words, &w))
        return SL_ERR_FILE;
    const sl_machine here = sl_machine_read();
    if (strcmp(written.cpu, here.cpu) != 0 || strcmp(written.isas, here.isas) != 0 ||
        strcmp(written.caches, here.caches) != 0)
        return SL_ERR_MACHINE;
    return w.all_usable ? SL_OK : SL_ERR_FILE;
}

/* Without waiting, and bytes as they are. */
#if defined(_WIN32)
enum { TO_READ = O_RDONLY | O_BINARY | O_NOINHERIT };
#else
enum { TO_READ = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC };
#endif

/* How many bytes a file has, which are then in `text`; or more than SL_TUNE_BYTES, where it has more or is no file whose
 * end will come. Never waits: not for the writer of a pipe, not for a terminal. */
static size_t read_file(const char *path, char text[SL_TUNE_BYTES + 1])
{
    size_t length = SL_TUNE_BYTES + 1;
    struct stat is;
    const int file = open(path, TO_READ);
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

static sl_status load(const char *path, uint64_t words[SL_SLOT_COUNT])
{
    char text[SL_TUNE_BYTES + 1]; /* one more tells that there is more */
    const size_t length = read_file(path, text);
    return length <= SL_TUNE_BYTES ? sl_tune_parse(text, length, words) : SL_ERR_FILE;
}

/* As a signal handler may call it: without a lock, without the C library's buffers, and errno stays. */
sl_status sl_tune_load(const char *path)
{
    const int kept = errno;
    uint64_t words[SL_SLOT_COUNT] = {0};
    const sl_status status = path ? load(path, words) : SL_OK;
    if (status == SL_OK)
        sl_tuning_publish(words);
    errno = kept;
    return status;
}
