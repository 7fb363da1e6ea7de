/*
 * ctl_provider_key: keys of providers, kept sealed.
 *
 *     key add:   stdin -> {"secret": ...} -> sealed under kek_file -> the row
 *     key list, disable:    ask -> the rows, never what is in them
 *
 * The secret comes by stdin, never by an argument, and not from a keyboard,
 * which would show it.  What it was read into is wiped before anybody is
 * asked; the database gets the seal.
 */

#include <string.h>
#include <unistd.h>

#include "podi_id.h"
#include "podi_json.h"
#include "podi_kek.h"
#include "ctl.h"
#include "banned.h"


#define KEY_TEXT_MAX  8192


static podi_rc_t key_add_ask(podi_flow_t *f, void *ctx);
static podi_rc_t key_list_ask(podi_flow_t *f, void *ctx);
static podi_rc_t key_disable_ask(podi_flow_t *f, void *ctx);
static podi_rc_t key_seal(podi_flow_t *f, ctl_t *ctl, podi_kek_row_t *row);
static podi_rc_t key_read(podi_flow_t *f, podi_str_t *dst);
static podi_rc_t key_plain(podi_flow_t *f, podi_str_t *text,
    podi_str_t *ret_plain);
static podi_rc_t key_check(podi_flow_t *f, const podi_str_t *text);


const podi_step_t  ctl_key_add_steps[] = {
    { "keeping the key", key_add_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_key_list_steps[] = {
    { "listing the keys", key_list_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};

const podi_step_t  ctl_key_disable_steps[] = {
    { "disabling the key", key_disable_ask, 0 },
    { "telling", ctl_tell_rows, 0 },
    podi_null_step
};


static podi_rc_t
key_add_ask(podi_flow_t *f, void *ctx)
{
    ctl_t           *ctl = ctx;
    podi_id_t        id;
    podi_kek_row_t   row;
    podi_pg_call_t   call;

    if (podi_id_make(&id) != PODI_OK) {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no randomness");
    }

    row.key_id = podi_id_str(&id);
    row.provider = podi_str_c(ctl->values[0]);
    row.name = podi_str_c(ctl->values[1]);

    if (key_seal(f, ctl, &row) != PODI_OK) {
        return PODI_ERROR;
    }

    podi_pg_call_init(&call, PODI_SQL_PROVIDER_KEY_ADD, f->mem);
    podi_arg_str(&call, &row.key_id);
    podi_arg_str(&call, &row.provider);
    podi_arg_str(&call, &row.name);
    podi_arg_str(&call, &row.kek);
    podi_arg_str(&call, &row.sealed);

    return podi_pg_call(ctl->pg, f, &call);
}


static podi_rc_t
key_list_ask(podi_flow_t *f, void *ctx)
{
    return ctl_ask(f, ctx, PODI_SQL_PROVIDER_KEY_LIST, 0);
}


static podi_rc_t
key_disable_ask(podi_flow_t *f, void *ctx)
{
    return ctl_ask(f, ctx, PODI_SQL_PROVIDER_KEY_DISABLE, 2);
}


/* it is opened once, too: later nobody could tell why it does not */

static podi_rc_t
key_seal(podi_flow_t *f, ctl_t *ctl, podi_kek_row_t *row)
{
    podi_rc_t       rc;
    podi_str_t      text, plain = podi_null_str;
    podi_secret_t  *kek, *again;
    unsigned char   data[KEY_TEXT_MAX + 1];

    if (podi_kek_read(ctl->set.kek_file, f->mem, &kek, &f->fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    text.data = data;
    rc = key_read(f, &text);

    if (rc == PODI_OK) {
        rc = key_plain(f, &text, &plain);

        if (rc == PODI_OK) {
            rc = podi_kek_seal(kek, row, &plain, f->mem, &f->fail);
        }

        podi_wipe(plain.data, plain.len);
    }

    podi_wipe(data, sizeof(data));

    return (rc == PODI_OK)
           ? podi_kek_open(kek, row, f->mem, &again, &f->fail) : rc;
}


static podi_rc_t
key_read(podi_flow_t *f, podi_str_t *dst)
{
    ssize_t  n;

    if (isatty(STDIN_FILENO)) {
        return podi_fail(&f->fail, PODI_E_BAD_REQUEST, NULL,
                         "give the key on stdin, from a file or a pipe: "
                         "a terminal would show it");
    }

    dst->len = 0;

    do {
        n = read(STDIN_FILENO, dst->data + dst->len,
                 KEY_TEXT_MAX + 1 - dst->len);
        dst->len += (n > 0) ? (size_t) n : 0;

    } while (n > 0 && dst->len <= KEY_TEXT_MAX);

    while (dst->len > 0 && memchr(" \t\r\n", dst->data[dst->len - 1], 4)) {
        dst->len--;
    }

    if (n < 0 || dst->len == 0 || dst->len >= KEY_TEXT_MAX) {
        return podi_fail(&f->fail, PODI_E_BAD_REQUEST, NULL,
                         "the key on stdin is empty, or longer than %d bytes",
                         KEY_TEXT_MAX - 1);
    }

    return PODI_OK;
}


/* an object stays as it is; a line becomes {"secret": line} */

static podi_rc_t
key_plain(podi_flow_t *f, podi_str_t *text, podi_str_t *ret_plain)
{
    podi_buf_t  b;

    if (text->data[0] == '{') {
        return (key_check(f, text) == PODI_OK)
               ? podi_mem_dup(f->mem, text, ret_plain) : PODI_ERROR;
    }

    if (memchr(text->data, '\n', text->len) != NULL) {
        return podi_fail(&f->fail, PODI_E_BAD_REQUEST, NULL,
                         "give the key as one line, or as a JSON object");
    }

    podi_buf_init(&b, f->mem);
    podi_buf_add_c(&b, "{\"secret\":");
    podi_buf_add_json(&b, text);
    podi_buf_add_c(&b, "}");

    return podi_buf_take(&b, ret_plain) == PODI_OK
           ? PODI_OK
           : podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
}


/* {"secret", "access_key"?}; says nothing of what is in it */

static podi_rc_t
key_check(podi_flow_t *f, const podi_str_t *text)
{
    int                 good;
    json_t             *object, *value;
    const char         *name;
    podi_fail_t         fail;
    podi_json_limit_t   limit = { KEY_TEXT_MAX, 4 };

    good = podi_json_parse(text, &limit, f->mem, &object, &fail) == PODI_OK;

    if (good) {
        good = json_is_string(json_object_get(object, "secret"));

        json_object_foreach(object, name, value) {
            good = good && json_string_length(value) > 0
                   && (strcmp(name, "secret") == 0
                       || strcmp(name, "access_key") == 0);

            podi_wipe((void *) (uintptr_t) json_string_value(value),
                      json_string_length(value));
        }
    }

    return good ? PODI_OK
                : podi_fail(&f->fail, PODI_E_BAD_REQUEST, NULL,
                            "the key on stdin is no object of \"secret\" "
                            "and, if need be, \"access_key\"");
}
