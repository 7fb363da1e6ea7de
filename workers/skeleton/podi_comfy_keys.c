/*
 * podi_comfy_keys: what a ComfyUI server is talked to with.
 *
 * What is opened lives as long as mem, and is nowhere else.
 */

#include <string.h>

#include "podi_buf.h"
#include "podi_comfy_keys.h"
#include "podi_json.h"
#include "banned.h"


#define KEYS_JSON_MAX  (1024 * 1024)


typedef struct {
    const podi_secret_t  *kek;
    const json_t         *keys;
    podi_mem_t           *mem;
    podi_comfy_keys_t    *ret;
    podi_fail_t          *fail;
} keys_open_t;


static podi_rc_t keys_headers(keys_open_t *o, const json_t *names);
static podi_rc_t keys_query(keys_open_t *o, const json_t *names);
static podi_rc_t keys_secret(keys_open_t *o, const json_t *ref,
    podi_str_t *ret_secret);
static podi_rc_t keys_open(keys_open_t *o, const json_t *key,
    podi_str_t *ret_secret);


podi_rc_t
podi_comfy_keys_open(const podi_secret_t *kek, const podi_str_t *auth,
    const podi_str_t *keys, podi_mem_t *mem, podi_comfy_keys_t *ret_keys,
    podi_fail_t *fail)
{
    json_t             *names, *sealed;
    keys_open_t         o = { kek, NULL, mem, ret_keys, fail };
    podi_json_limit_t   limit = { KEYS_JSON_MAX, 0 };

    memset(ret_keys, 0, sizeof(podi_comfy_keys_t));

    if (podi_json_parse(auth, &limit, mem, &names, fail) != PODI_OK
        || podi_json_parse(keys, &limit, mem, &sealed, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    o.keys = sealed;

    return keys_headers(&o, json_object_get(names, "headers")) == PODI_OK
           ? keys_query(&o, json_object_get(names, "query")) : PODI_ERROR;
}


static podi_rc_t
keys_headers(keys_open_t *o, const json_t *names)
{
    json_t       *ref;
    podi_str_t    name;
    const char   *member;
    podi_pair_t  *pair;

    o->ret->headers = podi_mem_calloc(o->mem, (json_object_size(names) + 1)
                                              * sizeof(podi_pair_t));
    if (o->ret->headers == NULL) {
        return podi_fail(o->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    json_object_foreach((json_t *) names, member, ref) {
        name = podi_str_c(member);
        pair = &o->ret->headers[o->ret->n_headers++];

        if (keys_secret(o, ref, &pair->value) != PODI_OK) {
            return PODI_ERROR;
        }

        if (podi_mem_dup(o->mem, &name, &pair->name) != PODI_OK) {
            return podi_fail(o->fail, PODI_E_INTERNAL, NULL, "no memory");
        }
    }

    return PODI_OK;
}


static podi_rc_t
keys_query(keys_open_t *o, const json_t *names)
{
    json_t      *ref;
    podi_buf_t   b;
    podi_str_t   name, secret;
    const char  *member;

    podi_buf_init(&b, o->mem);

    json_object_foreach((json_t *) names, member, ref) {
        name = podi_str_c(member);

        if (keys_secret(o, ref, &secret) != PODI_OK) {
            return PODI_ERROR;
        }

        if (b.len > 0) {
            podi_buf_add_byte(&b, '&');
        }

        podi_buf_add_uri(&b, &name, 0);
        podi_buf_add_byte(&b, '=');
        podi_buf_add_uri(&b, &secret, 0);
    }

    return podi_buf_take(&b, &o->ret->query) == PODI_OK
           ? PODI_OK
           : podi_fail(o->fail, PODI_E_INTERNAL, NULL, "no memory");
}


static podi_rc_t
keys_secret(keys_open_t *o, const json_t *ref, podi_str_t *ret_secret)
{
    size_t       i;
    json_t      *key;
    podi_str_t   name = podi_json_str(ref), other;

    json_array_foreach(o->keys, i, key) {
        other = podi_json_str(json_object_get(key, "name"));

        if (!podi_str_eq(&name, &other)) {
            continue;
        }

        return o->kek != NULL
               ? keys_open(o, key, ret_secret)
               : podi_fail(o->fail, PODI_E_CONFIG, NULL, "key " PODI_STR_FMT
                           ": kek_file is not set", podi_str_arg(&name));
    }

    return podi_fail(o->fail, PODI_E_CONFIG, NULL, "no key " PODI_STR_FMT,
                     podi_str_arg(&name));
}


static podi_rc_t
keys_open(keys_open_t *o, const json_t *key, podi_str_t *ret_secret)
{
    json_t             *json;
    podi_str_t          text;
    podi_secret_t      *secret;
    podi_kek_row_t      row;
    podi_json_limit_t   limit = { KEYS_JSON_MAX, 0 };

    row.key_id = podi_json_str(json_object_get(key, "key_id"));
    row.provider = podi_json_str(json_object_get(key, "provider"));
    row.name = podi_json_str(json_object_get(key, "name"));
    row.kek = podi_json_str(json_object_get(key, "kek"));
    row.sealed = podi_json_str(json_object_get(key, "sealed"));

    if (podi_kek_open(o->kek, &row, o->mem, &secret, o->fail) != PODI_OK) {
        return PODI_ERROR;
    }

    text = podi_secret_bytes(secret);

    if (podi_json_parse(&text, &limit, o->mem, &json, o->fail) == PODI_OK) {
        *ret_secret = podi_json_str(json_object_get(json, "secret"));

        if (ret_secret->len > 0) {
            return PODI_OK;
        }
    }

    return podi_fail(o->fail, PODI_E_CONFIG, NULL,
                     "key " PODI_STR_FMT " is not {\"secret\": ..}",
                     podi_str_arg(&row.name));
}
