/*
 * vectors FILE...: runs data files of test vectors and prints TAP, a line a
 * case.
 *
 *     podi-signature-vectors/1    canonical request, string to sign and
 *                                 signature, all three compared
 *     Wycheproof (C2SP) JWS, JWK  is the token accepted?
 *     podi-comfyui-transcript/1   is each answer and frame read as what it is?
 *
 * Exit: 0 all passed, 1 some did not, 2 a file cannot be used, 3 the format
 * is not supported yet.
 */

#include <stdio.h>
#include <stdlib.h>

#include "vectors.h"
#include "banned.h"


static unsigned  vectors_n;
static unsigned  vectors_failed;


static int vectors_file(const char *name, podi_mem_t *mem);
static int vectors_read(const char *name, podi_mem_t *mem,
    podi_str_t *ret_text);
static void vectors_case(const json_t *vector, podi_mem_t *mem);


int
main(int argc, char **argv)
{
    int            i, rc = 0;
    podi_arena_t  *arena;

    if (argc < 2) {
        fprintf(stderr, "usage: vectors FILE...\n");
        return 2;
    }

    arena = podi_arena_create();
    if (arena == NULL) {
        fprintf(stderr, "vectors: no memory\n");
        return 2;
    }

    for (i = 1; i < argc && rc == 0; i++) {
        rc = vectors_file(argv[i], podi_arena_mem(arena));
        podi_arena_reset(arena);
    }

    podi_arena_free(&arena);

    if (rc != 0) {
        return rc;
    }

    printf("1..%u\n", vectors_n);

    return vectors_failed ? 1 : 0;
}


static int
vectors_file(const char *name, podi_mem_t *mem)
{
    size_t         i;
    json_t        *file, *list;
    podi_str_t     text, format;
    json_error_t   error;

    if (vectors_read(name, mem, &text) != 0) {
        return 2;
    }

    /* what was recorded has NULs, too */
    file = json_loadb((const char *) text.data, text.len,
                      JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

    if (podi_json_own(mem, file) != PODI_OK) {
        fprintf(stderr, "vectors: %s: %s, line %d\n", name, error.text,
                error.line);
        return 2;
    }

    if (vectors_jose(file, mem) == 0 || vectors_comfy(file, mem) == 0) {
        return 0;
    }

    format = podi_json_str(json_object_get(file, "format"));

    if (!podi_str_eq_c(&format, "podi-signature-vectors/1")) {
        fprintf(stderr, "vectors: %s: not yet: the formats are "
                "podi-signature-vectors/1, podi-comfyui-transcript/1 and "
                "Wycheproof's JWS and JWK\n",
                name);
        return 3;
    }

    list = json_object_get(file, "vectors");

    if (json_array_size(list) == 0) {
        fprintf(stderr, "vectors: %s: no vectors\n", name);
        return 2;
    }

    for (i = 0; i < json_array_size(list); i++) {
        vectors_case(json_array_get(list, i), mem);
    }

    return 0;
}


static int
vectors_read(const char *name, podi_mem_t *mem, podi_str_t *ret_text)
{
    FILE           *f;
    size_t          n;
    podi_buf_t      b;
    unsigned char   chunk[65536];

    f = fopen(name, "rb");
    if (f == NULL) {
        perror(name);
        return -1;
    }

    podi_buf_init(&b, mem);

    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0) {
        podi_buf_add(&b, chunk, n);
    }

    if (ferror(f)) {
        perror(name);
        b.failed = 1;
    }

    (void) fclose(f);

    return podi_buf_take(&b, ret_text) == PODI_OK ? 0 : -1;
}


static void
vectors_case(const json_t *vector, podi_mem_t *mem)
{
    int         rc;
    podi_str_t  id, algorithm, why = podi_string("");

    id = podi_json_str(json_object_get(vector, "id"));
    algorithm = podi_json_str(json_object_get(vector, "algorithm"));

    rc = vectors_sign(vector, mem, &why);

    if (rc < 0) {
        why = podi_str_c("comes with a later issue");
    }

    vectors_tell(rc, algorithm, id, why);
}


void
vectors_tell(int rc, podi_str_t kind, podi_str_t name, podi_str_t why)
{
    vectors_n++;

    if (rc < 0) {
        printf("ok %u # skip " PODI_STR_FMT ": " PODI_STR_FMT ": "
               PODI_STR_FMT "\n", vectors_n, podi_str_arg(&kind),
               podi_str_arg(&name), podi_str_arg(&why));
        return;
    }

    printf("%s %u - " PODI_STR_FMT ": " PODI_STR_FMT "\n",
           rc ? "ok" : "not ok", vectors_n, podi_str_arg(&kind),
           podi_str_arg(&name));

    if (rc == 0) {
        printf("# " PODI_STR_FMT "\n", podi_str_arg(&why));
        vectors_failed++;
    }
}
