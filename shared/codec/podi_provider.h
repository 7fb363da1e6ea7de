/*
 * podi_provider: a service that makes pictures or texts, called over HTTP, as
 * one JSON file describes it.
 *
 *     file    ->  _load     ->  podi_provider_t, everything checked
 *     params  ->  _request  ->  method, url, headers, body   (signed)
 *     answer  ->  _answer   ->  class, state, ids, results
 *     call    ->  _webhook  ->  whose it is, or refused
 *
 * Pure: no clock, no I/O; the time, the nonce and the secrets come in.  What a
 * user gives is a value and never becomes structure; a URL that an answer
 * gives is used only when it leads where the description allows.  The format
 * is documented in conf/providers/README.md.
 */

#ifndef PODI_PROVIDER_H
#define PODI_PROVIDER_H


#include "podi_json.h"
#include "podi_secret.h"
#include "podi_sign.h"


#define PODI_PROVIDER_FILE_MAX   (256 * 1024)
#define PODI_PROVIDER_BODY_MAX   (16 * 1024 * 1024)
#define PODI_PROVIDER_REPLY_MAX  (64 * 1024 * 1024)
#define PODI_PROVIDER_ITEMS_MAX  256
#define PODI_PROVIDER_URL_MAX    4096
#define PODI_PROVIDER_SKEW       300        /* seconds, of a webhook */

typedef struct podi_provider_s     podi_provider_t;
typedef struct podi_provider_op_s  podi_provider_op_t;

/* the class of an answer: what can be done about it */

typedef enum {
    PODI_PROVIDER_OK,
    PODI_PROVIDER_RETRYABLE,        /* the same again, after a while */
    PODI_PROVIDER_THROTTLED,        /* the same, and it costs no attempt */
    PODI_PROVIDER_QUOTA,            /* no money there: stop, tell somebody */
    PODI_PROVIDER_AUTH,             /* the key is refused: the same */
    PODI_PROVIDER_CONTENT,          /* refused for what it shows; final */
    PODI_PROVIDER_INVALID,          /* refused; final */
    PODI_PROVIDER_UNKNOWN,          /* perhaps it was begun: never again */
    PODI_PROVIDER_EXPIRED           /* they do not know it any more */
} podi_provider_class_e;

typedef enum {
    PODI_REMOTE_NONE,               /* the answer does not say */
    PODI_REMOTE_QUEUED,
    PODI_REMOTE_RUNNING,
    PODI_REMOTE_DONE,
    PODI_REMOTE_FAILED,
    PODI_REMOTE_CANCELED,
    PODI_REMOTE_LOST
} podi_remote_e;

typedef enum {
    PODI_PROVIDER_SUBMIT,
    PODI_PROVIDER_POLL,
    PODI_PROVIDER_RESULT,           /* fetches the results, where not inline */
    PODI_PROVIDER_CANCEL
} podi_provider_step_e;

typedef enum {
    PODI_RESULT_URL,
    PODI_RESULT_BASE64,
    PODI_RESULT_BYTES,              /* the answer's body is the result */
    PODI_RESULT_JSON
} podi_result_e;

typedef enum {
    PODI_HOOK_NONE,                 /* this provider never calls */
    PODI_HOOK_STANDARD,
    PODI_HOOK_FAL,
    PODI_HOOK_HMAC,
    PODI_HOOK_PATH
} podi_hook_e;

/* which inputs an operation's templates name: what to prepare for them */

#define PODI_PROVIDER_INPUT_URL     1
#define PODI_PROVIDER_INPUT_BASE64  2
#define PODI_PROVIDER_INPUT_DATA    4       /* data:TYPE;base64,... */
#define PODI_PROVIDER_INPUT_FILE    8       /* a part of a multipart body */

/* what the one who drives an operation needs to know of it */

typedef struct {
    podi_str_t         name;
    unsigned           inputs;              /* PODI_PROVIDER_INPUT_* */
    unsigned           has_poll:1;          /* no: submit has the results */
    unsigned           has_result:1;        /* a step of its own */
    unsigned           has_cancel:1;
    unsigned           has_webhook:1;       /* job.webhook_url is told */
    unsigned           repeatable:1;        /* submit has an idempotency key */
    unsigned           cancel_states;       /* bits 1 << podi_remote_e */
    int64_t            connect_ms;
    int64_t            total_ms;            /* of a call, but for results */
    int64_t            first_ms;            /* before the first poll */
    int64_t            factor;              /* percent, from poll to poll */
    int64_t            max_ms;
    int64_t            deadline_s;
    int64_t            submit_rps;          /* limits; 0: none */
    int64_t            poll_rps;
    int64_t            per_minute;
    int64_t            concurrency;
    podi_result_e      result;
    int64_t            ttl_s;               /* of results */
    int64_t            max_bytes;           /* of one result */
    int64_t            cost_fixed;          /* millionths, of a call */
    unsigned           cost_begun:1;        /* also when nothing comes of it */
    const podi_pair_t *download;            /* headers for result URLs */
    size_t             n_download;
} podi_provider_facts_t;

typedef struct {
    podi_str_t            name;             /* as in the description */
    podi_str_t            access_key;       /* of signing kinds; or "" */
    const podi_secret_t  *secret;
} podi_provider_key_t;

/* what a request is made from; NULL objects are empty */

typedef struct {
    const json_t               *params;     /* the job's, by name */
    const json_t               *inputs;     /* [{url, type, name, ...}] */
    const json_t               *remote;     /* {id, poll_url, ...} */
    const json_t               *job;        /* {id, key, webhook_url} */
    const podi_provider_key_t  *keys;
    size_t                      n_keys;
    podi_usec_t                 now;
    podi_str_t                  nonce;      /* fresh, for signing kinds */
} podi_provider_ask_t;

typedef enum {
    PODI_BODY_NONE,
    PODI_BODY_JSON,
    PODI_BODY_FORM,
    PODI_BODY_MULTIPART
} podi_provider_body_e;

typedef struct {
    podi_str_t  name;
    podi_str_t  value;
    int         input;                      /* -1: value; or this input */
} podi_provider_part_t;

typedef struct {
    podi_str_t             method;
    podi_str_t             url;
    podi_pair_t           *headers;         /* with Content-Type, but for
                                               multipart */
    size_t                 n_headers;
    podi_provider_body_e   kind;
    podi_str_t             body;
    podi_provider_part_t  *parts;
    size_t                 n_parts;
} podi_provider_request_t;

typedef struct {
    unsigned            status;             /* 0: no answer came */
    unsigned            sent:1;             /* then: it may have arrived */
    const podi_pair_t  *headers;
    size_t              n_headers;
    podi_str_t          body;               /* "" when it went to a file */
} podi_provider_reply_t;

typedef struct {
    podi_result_e  kind;
    podi_str_t     value;                   /* url, base64, JSON; "": bytes */
} podi_provider_item_t;

typedef struct {
    podi_provider_class_e   class;
    podi_remote_e           state;
    unsigned                retry_after;    /* seconds; 0: not said */
    podi_str_t              id;
    podi_str_t              poll_url;
    podi_str_t              cancel_url;
    podi_str_t              result_url;
    int                     progress;       /* 0..99; -1: not said */
    int64_t                 position;       /* in their queue; -1 */
    podi_str_t              code;           /* of an error; or "" */
    podi_str_t              message;        /* redacted, at most 512 bytes */
    podi_provider_item_t   *items;
    size_t                  n_items;
    size_t                  n_missing;      /* sub-results that failed */
    unsigned                clock:1;        /* they say that ours is wrong */
    unsigned                follow:1;       /* it is to be asked by theirs */
    podi_usec_t             their_time;     /* then; 0: not said */
    podi_str_t              usage;          /* JSON; or "" */
    int64_t                 cost;           /* millionths; -1: not said */
} podi_provider_answer_t;


/*
 * CONFIG: fail->field is the member, fail->detail is one sentence,
 * "FILE:LINE:COLUMN: MEMBER: ...".  The text may go, the json may not.
 */
PODI_MUSTCHECK podi_rc_t podi_provider_load(const char *file,
    const podi_str_t *text, podi_mem_t *mem, podi_provider_t **ret_provider,
    podi_fail_t *fail);

podi_str_t podi_provider_name(const podi_provider_t *p);

/* of its certificate, beside the system's; NULL: those alone */
const char *podi_provider_ca_file(const podi_provider_t *p);

/* the names of the keys it refers to: i from 0; "" behind the last */
podi_str_t podi_provider_secret(const podi_provider_t *p, size_t i);

/* by name; by number from 0.  NULL: there is none */
const podi_provider_op_t *podi_provider_op(const podi_provider_t *p,
    const podi_str_t *name);
const podi_provider_op_t *podi_provider_op_at(const podi_provider_t *p,
    size_t i);
const podi_provider_facts_t *podi_provider_facts(
    const podi_provider_op_t *op);

/* headers of answers that its rules look at: i from 0; "" behind the last */
podi_str_t podi_provider_heard(const podi_provider_op_t *op, size_t i);

/* may this host of a result's URL be asked?  (no list: any host) */
int podi_provider_may_fetch(const podi_provider_op_t *op,
    const podi_str_t *url);

/*
 * BAD_FIELD: the params do not fit, and fail->field says which.  FORBIDDEN:
 * the remote URL leads elsewhere.  CONFIG: a key is missing.  BODY_TOO_LARGE.
 */
PODI_MUSTCHECK podi_rc_t podi_provider_request(const podi_provider_op_t *op,
    podi_provider_step_e step, const podi_provider_ask_t *ask,
    podi_mem_t *mem, podi_provider_request_t *ret, podi_fail_t *fail);

/* ERROR: no memory; whatever else comes has a class */
PODI_MUSTCHECK podi_rc_t podi_provider_answer(const podi_provider_op_t *op,
    podi_provider_step_e step, const podi_provider_reply_t *reply,
    podi_mem_t *mem, podi_provider_answer_t *ret);

const char *podi_provider_class_name(podi_provider_class_e class);
const char *podi_remote_name(podi_remote_e state);


/* a call that says it comes from the provider */

typedef struct {
    const podi_pair_t          *headers;
    size_t                      n_headers;
    podi_str_t                  body;       /* byte for byte */
    podi_str_t                  token;      /* of the path of the URL called */
    podi_str_t                  want_token; /* what we had put there */
    const podi_provider_key_t  *keys;
    size_t                      n_keys;
    const json_t               *jwks;       /* fal's, fetched and kept */
    podi_usec_t                 now;
} podi_provider_call_in_t;

podi_hook_e podi_provider_hook(const podi_provider_t *p);
/* where they publish the keys of their calls; "" when they have none */
podi_str_t podi_provider_jwks_url(const podi_provider_t *p);
/* the name of the key that it is signed with; "" when there is none */
podi_str_t podi_provider_hook_secret(const podi_provider_t *p);

/*
 * *ret_dedupe: by which the same call is known again; "" when it has none.
 * FORBIDDEN: a forged one, or too old; nothing else of it may be believed.
 * BAD_JSON: theirs, and not to be read.
 */
PODI_MUSTCHECK podi_rc_t podi_provider_webhook(const podi_provider_t *p,
    const podi_provider_call_in_t *in, podi_mem_t *mem,
    podi_str_t *ret_dedupe, podi_fail_t *fail);


#endif /* PODI_PROVIDER_H */
