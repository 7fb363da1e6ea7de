/*
 * provider: whatever a file holds, it is a description or one sentence with a
 * place; whatever a provider answers has a class; whoever calls is not
 * believed.
 */

#include <string.h>

#include "fuzz.h"
#include "podi_provider.h"
#include "banned.h"


#define HEAD  "{\"name\":\"x\",\"base_url\":\"https://x.test\","              \
              "\"secrets\":[\"api\"],\"auth\":{\"kind\":\"bearer\","         \
              "\"secret\":\"api\"},"
#define SUBMIT  "\"submit\":{\"url\":\"/{{p}}\",\"query\":{\"q\":"           \
                "\"{{n:integer=2}}\"},\"id_path\":\"id\",\"poll_url_path\":" \
                "\"u\",\"body\":{\"kind\":\"json\",\"template\":"            \
                "{\"a\":\"{{p}}\",\"b\":[\"{{n:integer?}}\",\"x{{p}}\"]}}}"


const char *const  fuzz_seeds[] = {
    HEAD "\"operations\":{\"go\":{\"params\":{\"p\":{\"type\":\"string\","
    "\"default\":\"d\"},\"n\":{\"type\":\"integer\",\"min\":1,\"max\":4}},"
    SUBMIT ",\"poll\":{\"url\":\"{{remote.poll_url}}\",\"state\":{\"from\":"
    "\"json_path\",\"path\":\"s\",\"map\":{\"ok\":\"done\",\"no\":\"failed\"}}}"
    ",\"result\":{\"items_path\":[\"o[*].url\",\"o\"],\"item_kind\":\"url\","
    "\"allowed_hosts\":[\".x.test\"]}}}}",
    HEAD "\"common\":{\"errors\":[{\"match\":{\"http\":[418,200],"
    "\"code_path\":\"e\",\"code_regex\":\"^a(b|c)*$\"},\"class\":\"quota\","
    "\"retry_after\":{\"path\":\"w\",\"fixed_s\":3}}],\"redact\":[\"k[*]\"]},"
    "\"operations\":{\"go\":{\"submit\":{\"url\":\"/\",\"ok_status\":[200]},"
    "\"result\":{\"item_kind\":\"bytes\"}}}}",
    "{\"id\":\"j1\",\"s\":\"ok\",\"o\":[{\"url\":\"https://a.x.test/1\"},"
    "{\"url\":7}],\"e\":\"abc\",\"m\":\"bad k1 key\",\"k\":[\"bad \"],"
    "\"u\":\"https://x.test/p?a=1\",\"w\":\"12\"}",
    "{\"u\":\"https://x.test@evil.test/\",\"id\":1,\"s\":{\"a\":[]}}",
    NULL
};

const char *const  fuzz_words[] = {
    "{{", "}}", "{{p}}", "{{n:integer?}}", "{{p|n=}}", "{{input[0].url}}",
    "{{remote.id}}", "[*]", "[0]", "\"submit\":", "\"poll\":", "\"result\":",
    "\"cancel\":", "\"common\":", "\"errors\":", "\"headers\":", "\"query\":",
    "\"body\":", "\"kind\":", "\"multipart\"", "\"form\"", "\"fields\":",
    "\"files\":", "\"v4\"", "\"acs3\"", "\"rpc_v1\"", "\"http_status\"",
    "\"webhook\":", "\"verify\":", "\"params\":", "\"code_regex\":", "(", ")",
    "*", "+", "|", "\\\\1", "https://", "http://", ".x.test", "@", "../",
    "null",
    "\"state\":", "\"done\"", "\\u0000", "\\n", "-1", "1e9", NULL
};


static void fuzz_load(const podi_str_t *text);
static void fuzz_op(const podi_provider_op_t *op);
static void fuzz_ask(podi_provider_ask_t *ask);
static void fuzz_poll(const podi_provider_op_t *op, const podi_str_t *url);
static void fuzz_answers(const podi_str_t *body, unsigned bits);
static podi_provider_t *fuzz_seed(size_t i);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    podi_str_t  s;

    s = fuzz_str(data, size);

    fuzz_load(&s);
    fuzz_answers(&s, (unsigned) fuzz_hash(data, size));

    return 0;
}


static void
fuzz_load(const podi_str_t *text)
{
    size_t                     i;
    podi_fail_t                fail;
    podi_provider_t           *p;
    const podi_provider_op_t  *op;

    if (podi_provider_load("t", text, fuzz_mem(), &p, &fail) != PODI_OK) {
        fuzz_assert(fail.error == PODI_E_CONFIG);
        fuzz_assert(strncmp(fail.detail, "t:", 2) == 0);
        fuzz_assert(fail.detail[2] >= '0' && fail.detail[2] <= '9');
        return;
    }

    for (i = 0; (op = podi_provider_op_at(p, i)) != NULL; i++) {
        fuzz_op(op);
    }

    fuzz_assert(i > 0);
}


/* what goes out leads to a host that the description names, or nowhere */

static void
fuzz_op(const podi_provider_op_t *op)
{
    int                       step;
    size_t                    i;
    podi_fail_t               fail;
    podi_provider_ask_t       ask;
    podi_provider_request_t   r;

    fuzz_ask(&ask);

    for (step = PODI_PROVIDER_SUBMIT; step <= PODI_PROVIDER_CANCEL; step++) {

        if (podi_provider_request(op, (podi_provider_step_e) step, &ask,
                                  fuzz_mem(), &r, &fail)
            != PODI_OK)
        {
            continue;
        }

        fuzz_assert(r.url.len <= PODI_PROVIDER_URL_MAX);
        fuzz_assert(podi_str_has_prefix(&r.url, "http"));
        fuzz_assert(r.body.len <= PODI_PROVIDER_BODY_MAX);

        for (i = 0; i < r.n_headers; i++) {
            fuzz_assert(memchr(r.headers[i].value.data ? (void *)
                               r.headers[i].value.data : "", '\n',
                               r.headers[i].value.len) == NULL);
        }
    }
}


static void
fuzz_ask(podi_provider_ask_t *ask)
{
    json_t                      *inputs;
    podi_str_t                   s = podi_string("key");
    podi_secret_t               *secret;
    static podi_provider_key_t   key;

    inputs = json_pack("[{s:s}]", "url", "https://i/0");
    fuzz_assert(podi_json_own(fuzz_mem(), inputs) == PODI_OK);
    fuzz_assert(podi_secret_make(fuzz_mem(), &s, &secret) == PODI_OK);

    key.name = podi_str_c("api");
    key.access_key = podi_str_c("ak");
    key.secret = secret;

    memset(ask, 0, sizeof(podi_provider_ask_t));
    ask->inputs = inputs;
    ask->keys = &key;
    ask->n_keys = 1;
    ask->nonce = podi_str_c("n");
}


/* a URL of theirs is asked where the description says, or not at all */

static void
fuzz_poll(const podi_provider_op_t *op, const podi_str_t *url)
{
    json_t                    *remote;
    podi_fail_t                fail;
    podi_provider_ask_t        ask;
    podi_provider_request_t    r;
    static const char          origin[] = "https://x.test";

    remote = json_pack("{s:s%}", "poll_url", url->data, url->len);

    if (remote == NULL) {
        return;                         /* no UTF-8 */
    }

    fuzz_assert(podi_json_own(fuzz_mem(), remote) == PODI_OK);
    fuzz_ask(&ask);
    ask.remote = remote;

    if (podi_provider_request(op, PODI_PROVIDER_POLL, &ask, fuzz_mem(), &r,
                              &fail)
        != PODI_OK)
    {
        fuzz_assert(fail.error == PODI_E_FORBIDDEN
                    || fail.error == PODI_E_CONFIG);
        return;
    }

    fuzz_assert(podi_str_has_prefix(&r.url, origin));
    fuzz_assert(r.url.len == sizeof(origin) - 1
                || r.url.data[sizeof(origin) - 1] == '/'
                || r.url.data[sizeof(origin) - 1] == '?');
}


static void
fuzz_answers(const podi_str_t *body, unsigned bits)
{
    int                        step;
    size_t                     i, j;
    podi_provider_t           *p;
    podi_provider_reply_t      reply;
    podi_provider_answer_t     a;
    const podi_provider_op_t  *op;
    static const unsigned      statuses[] = { 200, 418, 500, 404, 201, 0 };

    memset(&reply, 0, sizeof(reply));
    reply.body = *body;
    reply.status = statuses[bits % 6];
    reply.sent = bits >> 8 & 1;

    for (i = 0; i < 2; i++) {

        p = fuzz_seed(i);
        op = podi_provider_op_at(p, 0);

        for (step = PODI_PROVIDER_SUBMIT; step <= PODI_PROVIDER_CANCEL;
             step++)
        {
            fuzz_assert(podi_provider_answer(op, (podi_provider_step_e) step,
                                             &reply, fuzz_mem(), &a)
                        == PODI_OK);
            fuzz_assert(a.class <= PODI_PROVIDER_EXPIRED);
            fuzz_assert(a.message.len <= 512);
            fuzz_assert(podi_str_is_utf8(&a.message));
            fuzz_assert(a.progress >= -1 && a.progress <= 99);
            fuzz_assert(a.state != PODI_REMOTE_DONE
                        || a.class == PODI_PROVIDER_OK);

            for (j = 0; j < a.n_items; j++) {
                fuzz_assert(a.items[j].kind != PODI_RESULT_URL
                            || podi_provider_may_fetch(op,
                                                       &a.items[j].value));
            }

            fuzz_poll(op, &a.poll_url);
        }
    }
}


static podi_provider_t *
fuzz_seed(size_t i)
{
    podi_str_t        text;
    podi_fail_t       fail;
    podi_provider_t  *p = NULL;

    text = podi_str_c(fuzz_seeds[i]);
    fuzz_assert(podi_provider_load("t", &text, fuzz_mem(), &p, &fail)
                == PODI_OK);

    return p;
}
