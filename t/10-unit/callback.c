/*
 * podi_callback: the token that is ours, for whom and for what it was made.
 */

#include "tap.h"
#include "podi_callback.h"
#include "banned.h"


#define JOB    "0198c5a2-7d10-7c3a-9b1e-2f60c1a4d5e6"
#define KEY    "0198c5a2-7d10-7c3a-9b1e-2f60c1a4d5e7"
#define TOKEN  JOB "." KEY ".uo7jKVeVbQ3dhLDJzFYl9V7qmplLrhoqhbSeTivLhl8"


static podi_secret_t *
secret_of(podi_mem_t *mem, const char *text)
{
    podi_str_t      s = str(text);
    podi_secret_t  *secret = NULL;

    if (podi_secret_make(mem, &s, &secret) != PODI_OK) {
        abort();
    }

    return secret;
}


static podi_rc_t
reads(podi_mem_t *mem, const char *secret, const char *provider,
    podi_str_t token)
{
    podi_str_t       name = str(provider);
    podi_callback_t  of;

    return podi_callback_read(secret_of(mem, secret), &name, &token, mem, &of);
}


static void
test_refused(podi_mem_t *mem)
{
    size_t              i;
    podi_str_t          token;
    static const char  *none[] = {
        "", ".", "..", "...", JOB, JOB ".", JOB "." KEY, JOB "." KEY ".",
        JOB ".x.", "x." KEY ".", JOB "." JOB "." KEY
    };

    for (i = 0; i < sizeof(TOKEN) - 1; i++) {
        token = text_of(mem, "%s", TOKEN);
        token.data[i] ^= 1;

        if (reads(mem, "secret", "fal", token) != PODI_DECLINED) {
            break;
        }
    }

    is_int((long long) i, sizeof(TOKEN) - 1, "no bit may be another");

    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        ok(reads(mem, "secret", "fal", str(none[i])) == PODI_DECLINED,
           "\"%s\" is none", none[i]);
    }
}


int
main(void)
{
    podi_str_t        token, name, job, key;
    podi_mem_t       *mem;
    podi_arena_t     *arena;
    podi_callback_t   of, got;

    arena = podi_arena_create();
    mem = podi_arena_mem(arena);
    job = str(JOB);
    key = str(KEY);
    name = str("fal");

    ok(podi_id_parse(&job, &of.job) == PODI_OK
       && podi_id_parse(&key, &of.key) == PODI_OK
       && podi_callback_token(secret_of(mem, "secret"), &name, &of, mem,
                              &token) == PODI_OK, "a token");
    is_str(token, TOKEN, "as anybody makes it who has the secret");

    ok(podi_callback_read(secret_of(mem, "secret"), &name, &token, mem, &got)
       == PODI_OK, "it is ours");
    job = podi_id_str(&got.job);
    key = podi_id_str(&got.key);
    is_str(job, JOB, "of that job");
    is_str(key, KEY, "of that attempt");

    ok(reads(mem, "Secret", "fal", token) == PODI_DECLINED,
       "not under another secret");
    ok(reads(mem, "secret", "fa", token) == PODI_DECLINED,
       "not of another third party");

    test_refused(mem);
    podi_arena_free(&arena);

    return tap_done();
}
