/*
 * refresh: only the text that was made is accepted; and ids are parsed.
 */

#include <string.h>

#include "fuzz.h"
#include "podi_refresh.h"
#include "banned.h"


#define FUZZ_TENANT   "018f0000-0000-7000-8000-00000000000a"
#define FUZZ_SESSION  "018f0000-0000-7000-8000-00000000000c"
#define FUZZ_TOKEN    "v1." FUZZ_TENANT "." FUZZ_SESSION ".41."              \
                      "n-YobWGMLMAuvf-GTzhY5Yz0Ot4Nq3lP9F7cHSKAkGU"


const char *const  fuzz_seeds[] = {
    FUZZ_TOKEN, FUZZ_TENANT, NULL
};

const char *const  fuzz_words[] = {
    "v1.", "v2.", ".", "41.",
    "018f0000-0000-7000-8000-00000000000a", NULL
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    podi_id_t        id;
    podi_str_t       s, key;
    podi_fail_t      fail;
    podi_secret_t   *master;
    podi_refresh_t   refresh;

    s = fuzz_str(data, size);
    key = podi_str_c("a master key of any length");

    fuzz_assert(podi_secret_make(fuzz_mem(), &key, &master) == PODI_OK);

    if (podi_refresh_verify(master, &s, fuzz_mem(), &refresh, &fail)
        == PODI_OK)
    {
        fuzz_assert(podi_str_eq_c(&s, FUZZ_TOKEN));

    } else {
        fuzz_assert(!podi_str_eq_c(&s, FUZZ_TOKEN));
    }

    if (podi_id_parse(&s, &id) == PODI_OK) {
        fuzz_assert(s.len == PODI_ID_LEN);
    }

    return 0;
}
