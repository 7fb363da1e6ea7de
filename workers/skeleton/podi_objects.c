/*
 * podi_objects: the stores of the setting `stores`, and what daemons share of
 * talking to them.
 *
 *     setting -> lines -> words -> store: its secret, its HTTP engine
 */

#define _GNU_SOURCE                 /* memmem */

#include <string.h>

#include "podi_objects.h"
#include "podi_worker_int.h"
#include "banned.h"


typedef struct {
    podi_str_t  name;
    podi_str_t  type;
    podi_str_t  endpoint;
    podi_str_t  bucket;
    podi_str_t  region;
    podi_str_t  key_file;
    podi_str_t  ca_file;
} objects_words_t;

typedef struct {
    const char  *name;
    size_t       offset;
} objects_word_t;


static podi_rc_t objects_words(podi_str_t line, objects_words_t *ret_words,
    podi_fail_t *fail);
static podi_rc_t objects_word(const podi_str_t *word, objects_words_t *words,
    podi_fail_t *fail);
static podi_rc_t objects_add(podi_objects_t *objects, podi_worker_t *w,
    const objects_words_t *words, podi_fail_t *fail);
static podi_rc_t objects_store(podi_objects_store_t *store, podi_worker_t *w,
    const objects_words_t *words, podi_fail_t *fail);
static podi_rc_t objects_dialect(const objects_words_t *words,
    podi_object_dialect_e *ret_dialect, podi_fail_t *fail);
static podi_rc_t objects_http(podi_objects_store_t *store, podi_worker_t *w,
    const objects_words_t *words, podi_fail_t *fail);


static const objects_word_t  objects_word_table[] = {
    { "type", offsetof(objects_words_t, type) },
    { "endpoint", offsetof(objects_words_t, endpoint) },
    { "bucket", offsetof(objects_words_t, bucket) },
    { "region", offsetof(objects_words_t, region) },
    { "key_file", offsetof(objects_words_t, key_file) },
    { "ca_file", offsetof(objects_words_t, ca_file) },
    { NULL, 0 }
};


podi_rc_t
podi_objects_open(podi_objects_t *objects, podi_worker_t *w,
    podi_fail_t *fail)
{
    podi_str_t       rest, line;
    objects_words_t  words;

    rest = podi_str_c(w->set->stores);

    while (podi_str_split(&rest, ';', &line)) {

        if (objects_words(line, &words, fail) != PODI_OK) {
            return PODI_ERROR;
        }

        if (words.name.len > 0
            && objects_add(objects, w, &words, fail) != PODI_OK)
        {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


void
podi_objects_close(podi_objects_t *objects)
{
    size_t  i;

    for (i = 0; i < objects->n; i++) {
        podi_http_free(&objects->stores[i].http);
    }

    objects->n = 0;
}


podi_objects_store_t *
podi_objects_find(podi_objects_t *objects, const podi_str_t *name)
{
    size_t  i;

    for (i = 0; i < objects->n; i++) {
        if (podi_str_eq(&objects->stores[i].object.name, name)) {
            return &objects->stores[i];
        }
    }

    return NULL;
}


podi_rc_t
podi_objects_remove(podi_flow_t *f, podi_objects_store_t *store,
    const podi_str_t *key, const podi_pair_t *trace, podi_msec_t timeout)
{
    podi_str_t            url;
    podi_http_request_t   request;

    if (podi_object_delete(&store->object, key, PODI_OBJECTS_EXPIRES,
                           podi_time_now(), f->mem, &url) != PODI_OK)
    {
        return podi_fail(&f->fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    podi_http_request_init(&request, "DELETE", &url);
    request.headers = trace;
    request.n_headers = (trace != NULL);
    request.timeout = timeout;

    return podi_http_send(store->http, f, &request);
}


/* a 404 may also mean a wrong bucket, or a door that is no store */

int
podi_objects_is_gone(const podi_http_reply_t *reply)
{
    static const char  gone[] = "<Code>NoSuchKey</Code>";

    if (reply->status >= 200 && reply->status < 300) {
        return 1;
    }

    return reply->status == 404 && reply->body.len > 0
           && memmem(reply->body.data, reply->body.len, gone,
                     sizeof(gone) - 1) != NULL;
}


static podi_rc_t
objects_words(podi_str_t line, objects_words_t *ret_words, podi_fail_t *fail)
{
    podi_str_t  word;

    memset(ret_words, 0, sizeof(objects_words_t));

    while (podi_str_split(&line, ' ', &word)) {

        if (word.len == 0) {
            continue;
        }

        if (ret_words->name.len == 0) {
            ret_words->name = word;
            continue;
        }

        if (objects_word(&word, ret_words, fail) != PODI_OK) {
            return PODI_ERROR;
        }
    }

    return PODI_OK;
}


static podi_rc_t
objects_word(const podi_str_t *word, objects_words_t *words,
    podi_fail_t *fail)
{
    podi_str_t             value, name;
    const objects_word_t  *row;

    value = *word;

    if (!podi_str_split(&value, '=', &name)) {
        name.len = 0;
    }

    for (row = objects_word_table; row->name != NULL; row++) {
        if (podi_str_eq_c(&name, row->name) && value.len > 0) {
            memcpy((char *) words + row->offset, &value, sizeof(podi_str_t));
            return PODI_OK;
        }
    }

    return podi_fail(fail, PODI_E_CONFIG, NULL, "stores: \"" PODI_STR_FMT
                     "\" is none of type= endpoint= bucket= region= "
                     "key_file= ca_file=", podi_str_arg(word));
}


static podi_rc_t
objects_add(podi_objects_t *objects, podi_worker_t *w,
    const objects_words_t *words, podi_fail_t *fail)
{
    if (objects->n == PODI_OBJECTS_MAX
        || podi_objects_find(objects, &words->name) != NULL)
    {
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "stores: \"" PODI_STR_FMT "\" is there twice, or is "
                         "one more than %d", podi_str_arg(&words->name),
                         PODI_OBJECTS_MAX);
    }

    if (objects_store(&objects->stores[objects->n], w, words, fail)
        != PODI_OK)
    {
        return PODI_ERROR;
    }

    objects->n++;

    return PODI_OK;
}


static podi_rc_t
objects_store(podi_objects_store_t *store, podi_worker_t *w,
    const objects_words_t *words, podi_fail_t *fail)
{
    char                     detail[sizeof(fail->detail)];
    char                    *key_file;
    podi_secret_t           *key;
    podi_object_settings_t   settings;

    settings.name = words->name;
    settings.endpoint = words->endpoint;
    settings.bucket = words->bucket;
    settings.region = words->region;

    key_file = podi_mem_dup_c(w->mem, &words->key_file);
    if (key_file == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    if (objects_dialect(words, &settings.dialect, fail) != PODI_OK
        || podi_secret_read(w->mem, key_file, &key, fail) != PODI_OK)
    {
        return PODI_ERROR;
    }

    settings.key = key;

    if (podi_object_store(&settings, w->mem, &store->object, fail)
        != PODI_OK)
    {
        memcpy(detail, fail->detail, sizeof(detail));
        return podi_fail(fail, PODI_E_CONFIG, NULL,
                         "stores: " PODI_STR_FMT ": %.200s",
                         podi_str_arg(&words->name), detail);
    }

    return objects_http(store, w, words, fail);
}


static podi_rc_t
objects_dialect(const objects_words_t *words,
    podi_object_dialect_e *ret_dialect, podi_fail_t *fail)
{
    if (podi_str_eq_c(&words->type, "s3")
        || podi_str_eq_c(&words->type, "embedded"))
    {
        *ret_dialect = PODI_OBJECT_S3;
        return PODI_OK;
    }

    if (podi_str_eq_c(&words->type, "oss")) {
        *ret_dialect = PODI_OBJECT_OSS;
        return PODI_OK;
    }

    return podi_fail(fail, PODI_E_CONFIG, NULL,
                     "stores: " PODI_STR_FMT ": write type=s3, type=oss or "
                     "type=embedded", podi_str_arg(&words->name));
}


static podi_rc_t
objects_http(podi_objects_store_t *store, podi_worker_t *w,
    const objects_words_t *words, podi_fail_t *fail)
{
    podi_http_conf_t  conf;

    memset(&conf, 0, sizeof(podi_http_conf_t));

    conf.user_agent = w->conf->name;

    if (words->ca_file.len > 0) {
        conf.ca_file = podi_mem_dup_c(w->mem, &words->ca_file);

        if (conf.ca_file == NULL) {
            return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
        }
    }

    store->http = podi_http_create(w->io, &conf);
    if (store->http == NULL) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}
