/*
 * multipart: a form says the same whole, byte by byte and in odd pieces: the
 * same verdict, the same files, the same first bytes.
 */

#include "fuzz.h"
#include "podi_multipart.h"
#include "banned.h"


#define TYPE  "multipart/form-data; boundary=b"

typedef struct {
    uint64_t  hash;
    unsigned  files;
} seen_t;

const char *const  fuzz_seeds[] = {
    "--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a.png\"\r\n"
    "Content-Type: image/png\r\n\r\nabc\r\n--b--\r\n",
    "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nabc\r\n--b\r\n"
    "Content-Disposition: form-data; filename*=x\r\n\r\n\r\n--b--",
    "x\r\n--b\r\nA: b\r\n\r\n\n--b\r\n--b--", NULL
};

const char *const  fuzz_words[] = {
    "--b", "\r\n--b\r\n", "\r\n--b--", "\r\n", "\r", "--", "\r\n\r\n",
    "Content-Disposition: form-data; name=", "filename=", "filename*=",
    "Content-Type: ", "\"", ";", NULL
};


static podi_rc_t
seen(void *data, const podi_str_t *head, const podi_str_t *type,
    podi_fail_t *fail)
{
    size_t   i;
    seen_t  *s = data;

    (void) fail;

    fuzz_assert(head->len <= PODI_SNIFF_LEN);

    for (i = 0; i < head->len; i++) {
        s->hash = s->hash * 1099511628211u + head->data[i] + 1;
    }

    for (i = 0; i < type->len; i++) {
        s->hash = s->hash * 1099511628211u + type->data[i] + 1;
    }

    s->files++;

    return PODI_OK;
}


static podi_rc_t
parse(podi_mem_t *mem, const uint8_t *data, size_t size, size_t step,
    seen_t *s)
{
    size_t             i, n;
    podi_str_t         type = podi_string(TYPE);
    podi_fail_t        fail;
    podi_multipart_t  *m;

    s->hash = 0;
    s->files = 0;

    fuzz_assert(podi_multipart_begin(mem, &type, seen, s, &m, &fail)
                == PODI_OK);

    for (i = 0; i < size; i += n) {
        n = (size - i < step) ? size - i : step;

        if (podi_multipart_take(m, data + i, n, &fail) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return podi_multipart_end(m, &fail);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t             i;
    seen_t             whole, pieces;
    podi_rc_t          rc;
    podi_str_t         type;
    podi_fail_t        fail;
    podi_arena_t      *arena;
    podi_multipart_t  *m;

    static const size_t  steps[] = { 1, 3, 17 };

    arena = podi_arena_create();
    rc = parse(podi_arena_mem(arena), data, size, size + 1, &whole);

    for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        fuzz_assert(parse(podi_arena_mem(arena), data, size, steps[i],
                          &pieces)
                    == rc
                    && pieces.hash == whole.hash
                    && pieces.files == whole.files);
    }

    /* the header, too */

    type = fuzz_str(data, size);
    (void) (podi_multipart_begin(podi_arena_mem(arena), &type, seen, &whole,
                                 &m, &fail)
            == PODI_OK);

    podi_arena_free(&arena);

    return 0;
}
