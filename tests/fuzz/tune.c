/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the parser of tuning files: with any bytes, and with words of its language behind a good head. Whatever
 * is accepted chooses variants of the automatic choice's class of bits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machine_tuning.h"

/* From an allocation of its own size, so that AddressSanitizer sees what is read beyond. */
static void parse(const char *text, size_t length)
{
    uint64_t words[SL_SLOT_COUNT];
    char *exact = malloc(length ? length : 1);
    if (!exact)
        abort();
    memcpy(exact, text, length);
    if (sl_tune_parse(exact, length, words) == SL_OK) {
        sl_tuning_publish(words);
        for (size_t slot = 0; slot < SL_SLOT_COUNT; slot++)
            for (size_t n = 1; n != 0; n *= 2)
                if (sl_active_for(slot, n)->fma != sl_isa(NULL)->fma)
                    abort();
    }
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const words[] = {
        "{\"kernel\": \"",
        "\", \"dtype\": \"",
        "\", \"tier\": \"default\", \"isa\": \"",
        "\", \"tier\": \"fast\", \"isa\": \"",
        "\", \"from\": ",
        "}",
        ",",
        "]}",
        "0",
        "512",
        "8388608",
        "\"",
        "\\",
        "softmax",
        "softmax_apply",
        "sigmoid",
        "f32",
        "f16",
#define SL_ISA(name, ...) #name,
#include "isas.def"
#undef SL_ISA
    };
    static sl_machine m;
    char text[4096];
    if (m.cpu[0] == '\0')
        m = sl_machine_read();
    parse((const char *)data, size);
    const int n = snprintf(
        text, sizeof text,
        "{\"version\": \"%s\", \"machine\": {\"cpu\": \"%s\", \"isas\": \"%s\", \"caches\": \"%s\"}, "
        "\"winners\": [",
        SOFTLANE_VERSION, m.cpu, m.isas, m.caches);
    size_t length = (size_t)n;
    for (size_t i = 0; i < size; i++) {
        const char *word = words[data[i] % (sizeof words / sizeof *words)];
        const size_t letters = strlen(word);
        if (letters > sizeof text - length)
            break;
        memcpy(text + length, word, letters);
        length += letters;
    }
    parse(text, length);
    return 0;
}
