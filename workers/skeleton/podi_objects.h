/*
 * podi_objects: the object stores that a daemon talks to.
 *
 *     stores = NAME type=s3 endpoint=URL bucket=B region=R key_file=PATH
 *              [ca_file=PATH]; NAME type=oss ...
 *
 * The words are those of nginx's podi_media_store; its embedded store is one
 * of type s3 (or "embedded").  NAME is what the rows of media say.  The
 * long-lived secret is read here and never leaves the process.
 */

#ifndef PODI_OBJECTS_H
#define PODI_OBJECTS_H


#include "podi_http.h"
#include "podi_object.h"
#include "podi_worker.h"


#define PODI_OBJECTS_MAX      8
#define PODI_OBJECTS_EXPIRES  300       /* s, of a permit for ourselves */

typedef struct {
    podi_object_store_t   object;
    podi_http_t          *http;         /* each has its own CA */
} podi_objects_store_t;

typedef struct {
    podi_objects_store_t  stores[PODI_OBJECTS_MAX];
    size_t                n;            /* 0: the setting is empty */
} podi_objects_t;


/* what the setting `stores` says; CONFIG says what is wrong with it */
PODI_MUSTCHECK podi_rc_t podi_objects_open(podi_objects_t *objects,
    podi_worker_t *w, podi_fail_t *fail);

/* no request may be waiting */
void podi_objects_close(podi_objects_t *objects);

/* NULL: no setting knows it */
podi_objects_store_t *podi_objects_find(podi_objects_t *objects,
    const podi_str_t *name);

/*
 * Removes an object.  `trace` is a traceparent header, or NULL; it and `key`
 * outlive the operation.  AGAIN: f->result will be a podi_http_reply_t.
 */
PODI_MUSTCHECK podi_rc_t podi_objects_remove(podi_flow_t *f,
    podi_objects_store_t *store, const podi_str_t *key,
    const podi_pair_t *trace, podi_msec_t timeout);

/* after podi_objects_remove: there is no such object any more */
int podi_objects_is_gone(const podi_http_reply_t *reply);


#endif /* PODI_OBJECTS_H */
