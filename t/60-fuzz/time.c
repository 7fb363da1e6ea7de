/*
 * time: a text that was read names the same instant when it is written.
 */

#include "fuzz.h"
#include "podi_time.h"
#include "banned.h"


const char *const  fuzz_seeds[] = {
    "2026-11-22T05:17:46.123456Z", "2000-02-29 23:59:59+00",
    "20261122T051746Z", "-9223372036854775808", NULL
};

const char *const  fuzz_words[] = {
    "-", ":", "T", "Z", ".", "+00", "+14:00", "-23:59", "02-29", "9999",
    "0001", "60", "9223372036854775807", NULL
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t         n;
    podi_str_t      s, again;
    podi_usec_t     t, back;
    unsigned char   text[PODI_RFC3339_LEN], amz[PODI_AMZ_DATE_LEN];

    s = fuzz_str(data, size);

    if (podi_time_parse(&s, &t) == PODI_OK) {
        podi_time_rfc3339(t, text);
        again.data = text;
        again.len = sizeof(text);
        fuzz_assert(podi_time_parse(&again, &back) == PODI_OK && back == t);
    }

    if (podi_time_amz_parse(&s, &t) == PODI_OK) {
        podi_time_amz(t, amz);
        again.data = amz;
        again.len = sizeof(amz);
        fuzz_assert(podi_str_eq(&again, &s));
    }

    if (podi_str_to_int64(&s, &n) == PODI_OK) {
        podi_time_rfc3339(n, text);
    }

    return 0;
}
