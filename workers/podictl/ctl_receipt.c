/*
 * podictl receipt verify: is this what PODI signed, and does it add up?
 *
 *     files -> keys -> signature -> sums -> what it says
 *
 * Needs nothing but the receipt and the JWKS: no settings, no database.  The
 * hashes of the ledger's rows are told, not recomputed: their key is PODI's
 * own; an auditor compares them with the ledger.  Rows of before there was a
 * chain have none, and are told as not chained.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "podi_jose.h"
#include "ctl.h"
#include "banned.h"

#define RECEIPT_JWKS_MAX  (64 * 1024)


static int receipt_file(ctl_t *ctl, const char *path, size_t max,
    podi_str_t *ret_text);
static int receipt_open(ctl_t *ctl, json_t **ret_claims);
static const char *receipt_fault(const json_t *receipt);
static const char *receipt_fault_sums(const json_t *task, const json_t *jobs,
    const json_t *entries);
static json_int_t receipt_sum(const json_t *items, const char *type,
    const char *member);
static int receipt_is_ordered(const json_t *entries, const json_t *chain);
static void receipt_tell(const json_t *claims, const json_t *receipt);
static void receipt_tell_entries(const json_t *entries);
static void receipt_tell_results(const json_t *jobs);


int
ctl_receipt_verify(ctl_t *ctl)
{
    int          code;
    json_t      *claims, *receipt;
    const char  *fault;

    code = receipt_open(ctl, &claims);
    if (code != CTL_OK) {
        return code;
    }

    receipt = json_object_get(claims, "receipt");
    fault = receipt_fault(receipt);

    if (fault != NULL) {
        (void) fprintf(stderr, "podictl: the signature is right, but %s\n",
                       fault);
        return CTL_REFUSED;
    }

    receipt_tell(claims, receipt);

    return CTL_OK;
}


static int
receipt_open(ctl_t *ctl, json_t **ret_claims)
{
    podi_str_t          token, jwks, text;
    podi_fail_t         fail;
    podi_jose_ring_t   *ring;
    podi_jose_accept_t  accept = { .remote = 0 };

    memset(&fail, 0, sizeof(podi_fail_t));

    if (receipt_file(ctl, ctl->values[0], PODI_JOSE_RECEIPT_MAX, &token) != 0
        || receipt_file(ctl, ctl->values[1], RECEIPT_JWKS_MAX, &jwks) != 0)
    {
        return CTL_USAGE;
    }

    if (podi_jose_ring_parse(&jwks, &accept, ctl->mem, &ring, &fail)
        != PODI_OK) {
        (void) fprintf(stderr, "podictl: %s is no set of keys: %s\n",
                       ctl->values[1], fail.detail);
        return CTL_USAGE;
    }

    if (podi_jose_open(ring, &token, PODI_JOSE_TYP_RECEIPT,
                       PODI_JOSE_RECEIPT_MAX, ctl->mem, ret_claims, &fail)
        != PODI_OK)
    {
        (void) fprintf(stderr, "podictl: this is no receipt of theirs: %s\n",
                       fail.detail);
        return CTL_REFUSED;
    }

    text = podi_json_str(json_object_get(*ret_claims, "aud"));

    if (!podi_str_eq_c(&text, PODI_JOSE_AUD_RECEIPT)) {
        (void) fprintf(stderr, "podictl: this is no receipt: aud is not %s\n",
                       PODI_JOSE_AUD_RECEIPT);
        return CTL_REFUSED;
    }

    return CTL_OK;
}


/* without the blanks and line breaks behind it */

static int
receipt_file(ctl_t *ctl, const char *path, size_t max, podi_str_t *ret_text)
{
    int             fd;
    ssize_t         n;
    size_t          len = 0;
    unsigned char  *data;

    data = podi_mem_alloc(ctl->mem, max + 1);
    fd = open(path, O_RDONLY | O_CLOEXEC);

    if (data == NULL || fd == -1) {
        (void) fprintf(stderr, "podictl: %s: %s\n", path, strerror(errno));
        return -1;
    }

    do {
        n = read(fd, data + len, max + 1 - len);
        len += (n > 0) ? (size_t) n : 0;
    } while (n > 0 && len <= max);

    (void) close(fd);

    if (n < 0 || len > max) {
        (void) fprintf(stderr, "podictl: %s: %s\n", path,
                       n < 0 ? strerror(errno) : "too large");
        return -1;
    }

    while (len > 0 && memchr(" \r\n\t", data[len - 1], 4) != NULL) {
        len--;
    }

    ret_text->data = data;
    ret_text->len = len;

    return 0;
}


/* a sentence, or NULL: it adds up */

static const char *
receipt_fault(const json_t *receipt)
{
    const char    *fault;
    const json_t  *task, *jobs, *entries;

    task = json_object_get(receipt, "task");
    jobs = json_object_get(receipt, "jobs");
    entries = json_object_get(receipt, "entries");

    if (!json_is_object(task) || !json_is_array(jobs)
        || !json_is_array(entries)
        || !json_is_integer(json_object_get(task, "charged"))
        || !json_is_integer(json_object_get(task, "refunded")))
    {
        return "it is not a receipt for a task";
    }

    fault = receipt_fault_sums(task, jobs, entries);

    if (fault == NULL
        && !receipt_is_ordered(entries, json_object_get(receipt, "chain")))
    {
        fault = "its entries are not in the order of the ledger";
    }

    return fault;
}


static const char *
receipt_fault_sums(const json_t *task, const json_t *jobs,
    const json_t *entries)
{
    json_int_t  charged, refunded;

    charged = json_integer_value(json_object_get(task, "charged"));
    refunded = json_integer_value(json_object_get(task, "refunded"));

    if (receipt_sum(jobs, NULL, "charged") != charged) {
        return "its jobs do not add up to what the task was charged";
    }

    if (receipt_sum(entries, "confirm", "amount") != charged) {
        return "its entries do not add up to what the task was charged";
    }

    if (receipt_sum(entries, "freeze", "amount")
        != charged + receipt_sum(entries, "release", "amount"))
    {
        return "what was frozen was neither charged nor given back";
    }

    if (receipt_sum(entries, "refund", "amount") != refunded
        || refunded > charged)
    {
        return "its entries do not add up to what was refunded";
    }

    return NULL;
}


static json_int_t
receipt_sum(const json_t *items, const char *type, const char *member)
{
    size_t       i;
    json_t      *item;
    json_int_t   sum;
    const char  *is;

    sum = 0;

    json_array_foreach(items, i, item) {
        is = json_string_value(json_object_get(item, "type"));

        if (type == NULL || (is != NULL && strcmp(is, type) == 0)) {
            sum += json_integer_value(json_object_get(item, member));
        }
    }

    return sum;
}


/*
 * Rising, up to where the chain stands; there the hashes are the same.  Once
 * there is a chain no row is without a hash.
 */

static int
receipt_is_ordered(const json_t *entries, const json_t *chain)
{
    int          chained;
    size_t       i;
    json_t      *item;
    json_int_t   seq, last, end;
    const char  *hash, *head;

    last = 0;
    chained = 0;
    end = json_integer_value(json_object_get(chain, "seq"));
    head = json_string_value(json_object_get(chain, "head"));

    json_array_foreach(entries, i, item) {
        seq = json_integer_value(json_object_get(item, "seq"));
        hash = json_string_value(json_object_get(item, "hash"));

        if (seq <= last || seq > end) {
            return 0;
        }

        if (hash == NULL && (chained || (seq == end && head != NULL))) {
            return 0;
        }

        if (hash != NULL
            && (head == NULL || (seq == end && strcmp(hash, head) != 0)))
        {
            return 0;
        }

        chained = (hash != NULL);
        last = seq;
    }

    return 1;
}


static void
receipt_tell(const json_t *claims, const json_t *receipt)
{
    const char    *head;
    const json_t  *task, *chain, *entries;

    task = json_object_get(receipt, "task");
    chain = json_object_get(receipt, "chain");
    entries = json_object_get(receipt, "entries");
    head = json_string_value(json_object_get(chain, "head"));

    (void) printf("issuer=%s\nuser=%s\ntask_id=%s\nstate=%s\n"
                  "charged=%" JSON_INTEGER_FORMAT "\n"
                  "refunded=%" JSON_INTEGER_FORMAT "\nentries=%zu\n"
                  "chain_seq=%" JSON_INTEGER_FORMAT "\nchain_head=%s\n",
                  json_string_value(json_object_get(claims, "iss")),
                  json_string_value(json_object_get(claims, "sub")),
                  json_string_value(json_object_get(task, "task_id")),
                  json_string_value(json_object_get(task, "state")),
                  json_integer_value(json_object_get(task, "charged")),
                  json_integer_value(json_object_get(task, "refunded")),
                  json_array_size(entries),
                  json_integer_value(json_object_get(chain, "seq")),
                  head != NULL ? head : "");

    receipt_tell_entries(entries);
    receipt_tell_results(json_object_get(receipt, "jobs"));
}


static void
receipt_tell_entries(const json_t *entries)
{
    size_t       i;
    json_t      *entry;
    const char  *hash;

    json_array_foreach(entries, i, entry) {
        hash = json_string_value(json_object_get(entry, "hash"));

        (void) printf("entry=%" JSON_INTEGER_FORMAT " %s "
                      "%" JSON_INTEGER_FORMAT " %s\n",
                      json_integer_value(json_object_get(entry, "seq")),
                      json_string_value(json_object_get(entry, "type")),
                      json_integer_value(json_object_get(entry, "amount")),
                      hash != NULL ? hash : "not chained");
    }
}


static void
receipt_tell_results(const json_t *jobs)
{
    size_t   i, r;
    json_t  *job, *result;

    json_array_foreach(jobs, i, job) {
        json_array_foreach(json_object_get(job, "results"), r, result) {
            (void) printf("result=%s sha256=%s\n",
                          json_string_value(json_object_get(result,
                                                            "media_id")),
                          json_string_value(json_object_get(result,
                                                            "sha256")));
        }
    }
}
