/*
 * kekc: opens sealed keys as a worker does; a program that only tests use.
 *
 *     kekc KEK_FILE KEY_ID PROVIDER NAME KEK SEALED
 *
 * Prints what is in the seal, or why it does not open.
 */

#include <stdio.h>
#include <string.h>

#include "podi_kek.h"
#include "banned.h"


int
main(int argc, char **argv)
{
    podi_rc_t        rc;
    podi_str_t       text;
    podi_fail_t      fail;
    podi_arena_t    *arena;
    podi_secret_t   *kek, *open;
    podi_kek_row_t   row;

    if (argc != 7) {
        return 2;
    }

    row.key_id = podi_str_c(argv[2]);
    row.provider = podi_str_c(argv[3]);
    row.name = podi_str_c(argv[4]);
    row.kek = podi_str_c(argv[5]);
    row.sealed = podi_str_c(argv[6]);

    arena = podi_arena_create();
    rc = podi_kek_read(argv[1], podi_arena_mem(arena), &kek, &fail);

    if (rc == PODI_OK) {
        rc = podi_kek_open(kek, &row, podi_arena_mem(arena), &open, &fail);
    }

    if (rc == PODI_OK) {
        text = podi_secret_bytes(open);
        (void) printf(PODI_STR_FMT "\n", podi_str_arg(&text));

    } else {
        (void) printf("%s\n", fail.detail);
    }

    podi_arena_free(&arena);

    return rc == PODI_OK ? 0 : 1;
}
