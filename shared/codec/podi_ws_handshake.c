/*
 * podi_ws_handshake: the request, and what its answer must say.
 */

#include <string.h>

#include "podi_base64.h"
#include "podi_buf.h"
#include "podi_hash.h"
#include "podi_text.h"
#include "podi_ws_handshake.h"
#include "banned.h"


#define WS_GUID  "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

typedef struct {
    unsigned    upgrade:1;
    unsigned    connection:1;
    unsigned    accepts;                /* how many */
    unsigned    extras;                 /* that nobody asked for */
    podi_str_t  accept;
} ws_said_t;


static int ws_is_header(const podi_pair_t *h);
static podi_rc_t ws_status(const podi_str_t *line, unsigned *ret_status);
static podi_rc_t ws_line(const podi_str_t *line, ws_said_t *said);
static int ws_has_word(podi_str_t list, const char *word);
static podi_rc_t ws_refused(podi_fail_t *fail, const char *why);


podi_rc_t
podi_ws_key(podi_mem_t *mem, const unsigned char nonce[PODI_WS_NONCE_LEN],
    podi_str_t *ret_key)
{
    podi_str_t  bytes;

    bytes.data = (unsigned char *) nonce;
    bytes.len = PODI_WS_NONCE_LEN;

    return podi_base64_encode(mem, &bytes, ret_key);
}


podi_rc_t
podi_ws_accept(podi_mem_t *mem, const podi_str_t *key, podi_str_t *ret_accept)
{
    podi_str_t      digest;
    podi_hash_t    *hash;
    unsigned char   bytes[PODI_HASH_LEN_MAX];

    if (podi_hash_begin(mem, PODI_HASH_SHA1, &hash) != PODI_OK
        || podi_hash_add(hash, key->data, key->len) != PODI_OK
        || podi_hash_add(hash, WS_GUID, sizeof(WS_GUID) - 1) != PODI_OK)
    {
        return PODI_ERROR;
    }

    digest.data = bytes;
    digest.len = podi_hash_len(hash);

    if (podi_hash_end(hash, bytes) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_base64_encode(mem, &digest, ret_accept);
}


podi_rc_t
podi_ws_request(podi_mem_t *mem, const podi_ws_hello_t *hello,
    podi_str_t *ret_request, podi_fail_t *fail)
{
    size_t              i;
    podi_buf_t          b;
    const podi_pair_t  *h;

    podi_buf_init(&b, mem);
    podi_buf_printf(&b, "GET " PODI_STR_FMT " HTTP/1.1\r\n"
                    "Host: " PODI_STR_FMT "\r\n"
                    "Upgrade: websocket\r\n"
                    "Connection: Upgrade\r\n"
                    "Sec-WebSocket-Version: 13\r\n"
                    "Sec-WebSocket-Key: " PODI_STR_FMT "\r\n",
                    podi_str_arg(&hello->target), podi_str_arg(&hello->host),
                    podi_str_arg(&hello->key));

    if (hello->user_agent.len > 0) {
        podi_buf_printf(&b, "User-Agent: " PODI_STR_FMT "\r\n",
                        podi_str_arg(&hello->user_agent));
    }

    for (i = 0; i < hello->n_headers; i++) {
        h = &hello->headers[i];

        if (!ws_is_header(h)) {
            return podi_fail(fail, PODI_E_CONFIG, NULL,
                             "a header that cannot be sent");
        }

        podi_buf_add_str(&b, &h->name);
        podi_buf_add_c(&b, ": ");
        podi_buf_add_str(&b, &h->value);
        podi_buf_add_c(&b, "\r\n");
    }

    podi_buf_add_c(&b, "\r\n");

    if (podi_buf_take(&b, ret_request) != PODI_OK) {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "no memory");
    }

    return PODI_OK;
}


static int
ws_is_header(const podi_pair_t *h)
{
    size_t         i;
    unsigned char  c;

    for (i = 0; i < h->name.len; i++) {
        c = h->name.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
              || (c >= '0' && c <= '9') || c == '-' || c == '_'))
        {
            return 0;
        }
    }

    for (i = 0; i < h->value.len; i++) {
        c = h->value.data[i];

        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return 0;
        }
    }

    return h->name.len > 0 && !podi_text_is(&h->name, "host")
           && !podi_text_is(&h->name, "upgrade")
           && !podi_text_is(&h->name, "connection")
           && !podi_text_is(&h->name, "content-length")
           && !podi_text_is(&h->name, "transfer-encoding")
           && !podi_text_begins(&h->name, "sec-websocket-");
}


podi_rc_t
podi_ws_answer(const podi_str_t *head, const podi_str_t *accept,
    unsigned *ret_status, podi_fail_t *fail)
{
    ws_said_t   said;
    podi_str_t  rest, line;

    memset(&said, 0, sizeof(ws_said_t));
    *ret_status = 0;
    rest = *head;

    if (!podi_str_split(&rest, '\n', &line)
        || ws_status(&line, ret_status) != PODI_OK)
    {
        return ws_refused(fail, "the answer is not HTTP");
    }

    if (*ret_status != 101) {
        return podi_fail(fail, PODI_E_UNAVAILABLE, NULL,
                         "the answer is %u, not 101", *ret_status);
    }

    while (podi_str_split(&rest, '\n', &line)) {
        if (ws_line(&line, &said) != PODI_OK) {
            return ws_refused(fail, "the answer has a line that is no header");
        }
    }

    if (!said.upgrade || !said.connection) {
        return ws_refused(fail, "the answer does not upgrade to a WebSocket");
    }

    if (said.extras != 0) {
        return ws_refused(fail, "the answer has what nobody asked for");
    }

    if (said.accepts != 1 || !podi_str_eq(&said.accept, accept)) {
        return ws_refused(fail, "the answer is not one to this question");
    }

    return PODI_OK;
}


/* "HTTP/1.1 101 Switching Protocols" */

static podi_rc_t
ws_status(const podi_str_t *line, unsigned *ret_status)
{
    size_t    i;
    unsigned  n;

    if (line->len < 12 || memcmp(line->data, "HTTP/1.1 ", 9) != 0
        || (line->len > 12 && line->data[12] != ' '
            && line->data[12] != '\r'))
    {
        return PODI_ERROR;
    }

    for (n = 0, i = 9; i < 12; i++) {
        if (line->data[i] < '0' || line->data[i] > '9') {
            return PODI_ERROR;
        }

        n = n * 10 + (line->data[i] - '0');
    }

    *ret_status = n;

    return PODI_OK;
}


/* folded lines and lines without a name are refused */

static podi_rc_t
ws_line(const podi_str_t *line, ws_said_t *said)
{
    podi_str_t  name, value;

    value = *line;

    if (value.len > 0 && value.data[value.len - 1] == '\r') {
        value.len--;
    }

    if (memchr(value.data, ':', value.len) == NULL
        || !podi_str_split(&value, ':', &name) || name.len == 0
        || name.data[0] == ' ' || name.data[0] == '\t')
    {
        return PODI_ERROR;
    }

    value = podi_text_trim(value);

    if (podi_text_is(&name, "upgrade")) {
        said->upgrade |= podi_text_is(&value, "websocket");

    } else if (podi_text_is(&name, "connection")) {
        said->connection |= ws_has_word(value, "upgrade");

    } else if (podi_text_is(&name, "sec-websocket-accept")) {
        said->accepts++;
        said->accept = value;

    } else if (podi_text_is(&name, "sec-websocket-extensions")
               || podi_text_is(&name, "sec-websocket-protocol"))
    {
        said->extras++;
    }

    return PODI_OK;
}


static int
ws_has_word(podi_str_t list, const char *word)
{
    podi_str_t  part;

    while (podi_str_split(&list, ',', &part)) {
        part = podi_text_trim(part);

        if (podi_text_is(&part, word)) {
            return 1;
        }
    }

    return 0;
}


static podi_rc_t
ws_refused(podi_fail_t *fail, const char *why)
{
    return podi_fail(fail, PODI_E_UNAVAILABLE, NULL, "%s", why);
}
