/*
 * podi_provider_answer: what the recorded answers of each provider mean, the
 * failures too; what is garbled, forged or hostile means nothing good.
 */

#include "provider_test.h"
#include "podi_buf.h"
#include "banned.h"


#define SUBMIT  PODI_PROVIDER_SUBMIT
#define POLL    PODI_PROVIDER_POLL
#define RESULT  PODI_PROVIDER_RESULT
#define CANCEL  PODI_PROVIDER_CANCEL

static podi_mem_t  *mem;

/* header "Name: value" or NULL; `want` is what `told` below makes of it */

typedef struct {
    const char            *op;
    podi_provider_step_e   step;
    unsigned               status;
    const char            *header;
    const char            *body;
    const char            *want;
} answer_t;


static const answer_t  replicate[] = {
    { "upscale", SUBMIT, 201, NULL, "{\"id\":\"p1\",\"status\":\"starting\","
      "\"urls\":{\"get\":\"https://api.replicate.com/v1/predictions/p1\","
      "\"cancel\":\"https://api.replicate.com/v1/predictions/p1/cancel\"}}",
      "ok queued id=p1 poll cancel" },
    { "upscale", SUBMIT, 201, NULL, "{\"id\":\"p1\",\"status\":\"succeeded\","
      "\"output\":\"https://replicate.delivery/a.png\",\"metrics\":"
      "{\"predict_time\":1.5}}", "ok done id=p1 usage "
      "url:https://replicate.delivery/a.png" },
    { "upscale", SUBMIT, 402, NULL, "{\"title\":\"Insufficient credit\","
      "\"detail\":\"Add money.\"}",
      "quota - code=Insufficient credit msg=Add money." },
    { "upscale", SUBMIT, 401, NULL, "{\"detail\":\"no token\"}",
      "auth - msg=no token" },
    { "upscale", SUBMIT, 429, "Retry-After: 7", "{\"detail\":\"slow\"}",
      "throttled - after=7 msg=slow" },
    { "upscale", SUBMIT, 429, "X: y", "{}", "throttled - after=10" },
    { "upscale", SUBMIT, 422, NULL, "{\"detail\":\"bad\"}",
      "invalid - msg=bad" },
    { "upscale", SUBMIT, 500, NULL, "", "retryable -" },
    { "upscale", SUBMIT, 503, "Retry-After: 1.2", "", "retryable - after=2" },
    { "upscale", SUBMIT, 504, NULL, "", "unknown -" },
    { "upscale", SUBMIT, 201, NULL, "<html>", "unknown - code=no_id" },
    { "upscale", SUBMIT, 201, NULL, "{\"id\":\"p1\",\"stat",
      "unknown - code=no_id" },
    { "upscale", SUBMIT, 302, NULL, "", "invalid -" },
    { "upscale", POLL, 200, NULL, "{\"status\":\"processing\"}",
      "ok running" },
    { "upscale", POLL, 200, NULL, "{\"status\":\"failed\",\"error\":"
      "\"CUDA out of memory\"}", "invalid failed msg=CUDA out of memory" },
    { "upscale", POLL, 200, NULL, "{\"status\":\"failed\",\"error\":"
      "\"NSFW content detected\"}",
      "content failed msg=NSFW content detected" },
    { "upscale", POLL, 200, NULL, "{\"status\":\"canceled\"}",
      "ok canceled" },
    { "upscale", POLL, 200, NULL, "{\"status\":\"succeeded\",\"output\":"
      "[\"https://replicate.delivery/a\",\"https://replicate.delivery/b\"]}",
      "ok done url:https://replicate.delivery/a "
      "url:https://replicate.delivery/b" },
    { "upscale", POLL, 200, NULL, "{\"status\":\"succeeded\",\"output\":"
      "[\"https://169.254.169.254/latest\",\"file:///etc/passwd\"]}",
      "invalid failed code=no_result missing=2" },
    { "upscale", POLL, 200, NULL, "{\"status\":\"succeeded\",\"output\":"
      "null}", "invalid failed code=no_result" },
    { "upscale", POLL, 200, NULL, "{\"status\":\"dancing\"}",
      "retryable - code=no_state" },
    { "upscale", POLL, 200, NULL, "<html>sorry</html>",
      "retryable - code=no_state" },
    { "upscale", POLL, 404, NULL, "{}", "expired lost" },
    { "upscale", POLL, 502, NULL, "", "retryable -" },
    { "upscale", CANCEL, 200, NULL, "{}", "ok -" },
    { "upscale", CANCEL, 404, NULL, "{}", "expired lost" },
    { NULL, SUBMIT, 0, NULL, NULL, NULL }
};

static const answer_t  fal[] = {
    { "upscale", SUBMIT, 200, NULL, "{\"request_id\":\"f1\",\"status_url\":"
      "\"https://queue.fal.run/a/requests/f1/status\",\"cancel_url\":"
      "\"https://queue.fal.run/a/requests/f1/cancel\",\"response_url\":"
      "\"https://queue.fal.run/a/requests/f1\"}",
      "ok queued id=f1 poll cancel result" },
    { "upscale", SUBMIT, 503, "X-Fal-Retryable: true",
      "{\"error_type\":\"startup_timeout\"}",
      "retryable - code=startup_timeout" },
    { "upscale", SUBMIT, 504, "X-Fal-Retryable: true",
      "{\"error_type\":\"startup_timeout\"}",
      "unknown - code=startup_timeout" },
    { "upscale", SUBMIT, 403, NULL, "{\"detail\":\"User is locked. Reason: "
      "Exhausted balance\"}",
      "quota - msg=User is locked. Reason: Exhausted balance" },
    { "upscale", POLL, 202, NULL, "{\"status\":\"IN_QUEUE\","
      "\"queue_position\":3}", "ok queued position=3" },
    { "upscale", POLL, 200, NULL, "{\"status\":\"COMPLETED\"}", "ok done" },
    { "upscale", POLL, 200, NULL, "{\"status\":\"COMPLETED\",\"error\":"
      "\"boom\",\"error_type\":\"runner_disconnected\"}",
      "retryable failed code=runner_disconnected msg=boom" },
    { "upscale", POLL, 200, NULL, "{\"status\":\"COMPLETED\",\"error\":"
      "\"boom\"}", "invalid failed msg=boom" },
    { "upscale", RESULT, 200, NULL, "{\"image\":{\"url\":"
      "\"https://v3.fal.media/files/a.png\"}}",
      "ok done url:https://v3.fal.media/files/a.png" },
    { "text_to_image", RESULT, 200, NULL, "{\"images\":[{\"url\":"
      "\"https://fal.media/a\"},{\"url\":\"https://fal.media.evil/b\"}]}",
      "ok done missing=1 url:https://fal.media/a" },
    { "upscale", RESULT, 422, "X-Fal-Retryable: false", "{\"detail\":[{\""
      "type\":\"content_policy_violation\",\"msg\":\"no\"}]}",
      "content - code=content_policy_violation msg=no" },
    { "upscale", RESULT, 422, NULL, "{\"detail\":[{\"type\":"
      "\"image_too_large\",\"msg\":\"big\"}]}",
      "invalid - code=image_too_large msg=big" },
    { "upscale", RESULT, 200, NULL, "{\"image\":{\"ur", "retryable - "
      "code=no_result" },
    { NULL, SUBMIT, 0, NULL, NULL, NULL }
};

static const answer_t  dashscope[] = {
    { "text_to_image", SUBMIT, 200, NULL, "{\"request_id\":\"q\",\"output\":"
      "{\"task_id\":\"d1\",\"task_status\":\"PENDING\"}}",
      "ok queued id=d1" },
    { "text_to_image", SUBMIT, 400, NULL, "{\"code\":"
      "\"DataInspectionFailed\",\"message\":\"inappropriate\"}",
      "content - code=DataInspectionFailed msg=inappropriate" },
    { "text_to_image", SUBMIT, 400, NULL, "{\"code\":\"Arrearage\","
      "\"message\":\"pay\"}", "quota - code=Arrearage msg=pay" },
    { "text_to_image", SUBMIT, 429, NULL, "{\"code\":"
      "\"Throttling.RateQuota\"}",
      "throttled - after=5 code=Throttling.RateQuota" },
    { "text_to_image", SUBMIT, 429, NULL, "{\"code\":"
      "\"Throttling.AllocationQuota\"}",
      "quota - code=Throttling.AllocationQuota" },
    { "text_to_image", SUBMIT, 401, NULL, "{\"code\":\"InvalidApiKey\"}",
      "auth - code=InvalidApiKey" },
    { "text_to_image", SUBMIT, 500, NULL, "{\"code\":"
      "\"InternalError.Timeout\"}",
      "retryable - code=InternalError.Timeout" },
    { "text_to_image", POLL, 200, NULL, "{\"output\":{\"task_status\":"
      "\"RUNNING\"}}", "ok running" },
    { "text_to_image", POLL, 200, NULL, "{\"output\":{\"task_status\":"
      "\"SUCCEEDED\",\"results\":[{\"url\":\"https://x.oss.aliyuncs.com/1\"}"
      ",{\"code\":\"InternalError\",\"message\":\"x\"}]},\"usage\":"
      "{\"image_count\":1}}", "ok done code=InternalError missing=1 usage "
      "url:https://x.oss.aliyuncs.com/1" },
    { "text_to_image", POLL, 200, NULL, "{\"output\":{\"task_status\":"
      "\"SUCCEEDED\",\"results\":[{\"code\":\"DataInspectionFailed\"}]}}",
      "content failed code=DataInspectionFailed missing=1" },
    { "text_to_image", POLL, 200, NULL, "{\"output\":{\"task_status\":"
      "\"FAILED\",\"code\":\"InvalidParameter\",\"message\":\"bad\"}}",
      "invalid failed code=InvalidParameter msg=bad" },
    { "text_to_image", POLL, 200, NULL, "{\"output\":{\"task_status\":"
      "\"FAILED\",\"code\":\"DataInspectionFailed\"}}",
      "content failed code=DataInspectionFailed" },
    { "text_to_image", POLL, 200, NULL, "{\"output\":{\"task_status\":"
      "\"UNKNOWN\"}}", "expired lost" },
    { NULL, SUBMIT, 0, NULL, NULL, NULL }
};

static const answer_t  volc_visual[] = {
    { "text_to_image", SUBMIT, 200, NULL, "{\"code\":10000,\"data\":"
      "{\"task_id\":\"v1\"},\"message\":\"Success\"}",
      "ok queued id=v1 code=10000 msg=Success" },
    { "text_to_image", SUBMIT, 200, NULL, "{\"code\":50411,\"message\":"
      "\"Pre Img Risk\"}", "content - code=50411 msg=Pre Img Risk" },
    { "text_to_image", SUBMIT, 429, NULL, "{\"code\":50429}",
      "throttled - after=5 code=50429" },
    { "text_to_image", SUBMIT, 500, NULL, "{\"code\":50500}",
      "retryable - code=50500" },
    { "text_to_image", SUBMIT, 401, NULL, "{\"ResponseMetadata\":{\"Error\":"
      "{\"Code\":\"SignatureDoesNotMatch\",\"Message\":\"sign\"}}}",
      "auth - code=SignatureDoesNotMatch msg=sign" },
    { "text_to_image", POLL, 200, NULL, "{\"code\":10000,\"data\":"
      "{\"status\":\"generating\"}}", "ok running code=10000" },
    { "text_to_image", POLL, 200, NULL, "{\"code\":10000,\"data\":"
      "{\"status\":\"done\",\"image_urls\":[\"https://a.byteimg.com/1\"]}}",
      "ok done code=10000 url:https://a.byteimg.com/1" },
    { "text_to_image", POLL, 200, NULL, "{\"code\":10000,\"data\":"
      "{\"status\":\"not_found\"}}", "expired lost code=10000" },
    { "text_to_image", POLL, 200, NULL, "{\"code\":10000,\"data\":"
      "{\"status\":\"expired\"}}", "expired lost code=10000" },
    { "text_to_image", POLL, 200, NULL, "{\"code\":50512,\"message\":"
      "\"Post Img Risk\"}", "content - code=50512 msg=Post Img Risk" },
    { NULL, SUBMIT, 0, NULL, NULL, NULL }
};

static const answer_t  volc_ark[] = {
    { "text_to_image", SUBMIT, 200, NULL, "{\"data\":[{\"url\":"
      "\"https://a.tos-cn-beijing.volces.com/1\"},{\"error\":{\"code\":"
      "\"OutputImageRiskDetection\"}}],\"usage\":{\"total_tokens\":1}}",
      "ok done code=OutputImageRiskDetection missing=1 usage "
      "url:https://a.tos-cn-beijing.volces.com/1" },
    { "text_to_video", SUBMIT, 200, NULL, "{\"id\":\"cgt-1\"}",
      "ok queued id=cgt-1" },
    { "text_to_video", POLL, 200, NULL, "{\"status\":\"succeeded\","
      "\"content\":{\"video_url\":\"https://a.volces.com/v.mp4\"}}",
      "ok done url:https://a.volces.com/v.mp4" },
    { "text_to_video", POLL, 200, NULL, "{\"status\":\"failed\",\"error\":"
      "{\"code\":\"OutputVideoSensitiveContentDetected\",\"message\":\"m\"}}",
      "content failed code=OutputVideoSensitiveContentDetected msg=m" },
    { "text_to_video", POLL, 200, NULL, "{\"status\":\"expired\"}",
      "expired lost" },
    { "text_to_video", SUBMIT, 403, NULL, "{\"error\":{\"code\":"
      "\"AccountOverdueError\"}}", "quota - code=AccountOverdueError" },
    { "text_to_video", SUBMIT, 429, NULL, "{\"error\":{\"code\":"
      "\"RateLimitExceeded.EndpointRPMExceeded\"}}", "throttled - after=10 "
      "code=RateLimitExceeded.EndpointRPMExceeded" },
    { NULL, SUBMIT, 0, NULL, NULL, NULL }
};

static const answer_t  stability[] = {
    { "text_to_image", SUBMIT, 200, NULL, "{\"image\":\"iVBORw==\","
      "\"finish_reason\":\"SUCCESS\",\"seed\":1}",
      "ok done code=SUCCESS base64:iVBORw==" },
    { "text_to_image", SUBMIT, 200, NULL, "{\"image\":\"iVBORw==\","
      "\"finish_reason\":\"CONTENT_FILTERED\"}",
      "content failed code=CONTENT_FILTERED" },
    { "text_to_image", SUBMIT, 403, NULL, "{\"id\":\"x\",\"name\":"
      "\"content_moderation\",\"errors\":[\"flagged\"]}",
      "content - code=content_moderation msg=flagged" },
    { "text_to_image", SUBMIT, 403, NULL, "{}", "auth -" },
    { "text_to_image", SUBMIT, 429, NULL, "{}", "throttled - after=60" },
    { "text_to_image", SUBMIT, 413, NULL, "{}", "invalid -" },
    { "upscale", SUBMIT, 200, "finish-reason: SUCCESS", "\x89PNG...",
      "ok done bytes:" },
    { "upscale", SUBMIT, 200, "finish-reason: CONTENT_FILTERED",
      "\x89PNG...", "content failed" },
    { "upscale_creative", POLL, 202, NULL, "{\"id\":\"s\"}", "ok running" },
    { "upscale_creative", POLL, 200, NULL, "{\"result\":\"AAAA\"}",
      "ok done base64:AAAA" },
    { "upscale_creative", POLL, 404, NULL, "{}", "expired lost" },
    { NULL, SUBMIT, 0, NULL, NULL, NULL }
};

static const answer_t  openai_images[] = {
    { "text_to_image", SUBMIT, 200, NULL, "{\"data\":[{\"b64_json\":"
      "\"AAAA\"},{\"b64_json\":\"data:image/png;base64,BBBB\"}],\"usage\":"
      "{\"total_tokens\":9}}", "ok done usage base64:AAAA base64:BBBB" },
    { "text_to_image", SUBMIT, 400, NULL, "{\"error\":{\"code\":"
      "\"moderation_blocked\",\"message\":\"safety\"}}",
      "content - code=moderation_blocked msg=safety" },
    { "text_to_image", SUBMIT, 429, NULL, "{\"error\":{\"code\":"
      "\"insufficient_quota\"}}", "quota - code=insufficient_quota" },
    { "text_to_image", SUBMIT, 429, NULL, "{\"error\":{\"code\":null,"
      "\"type\":\"requests\"}}", "throttled - after=20 code=requests" },
    { "text_to_image", SUBMIT, 401, NULL, "{\"error\":{\"code\":"
      "\"invalid_api_key\",\"message\":\"Incorrect API key provided: "
      "sk-live-0123456789abcdefghij\"}}", "auth - code=invalid_api_key "
      "msg=Incorrect API key provided: ***" },
    { "text_to_image", SUBMIT, 200, NULL, "", "unknown - code=no_result" },
    { "text_to_image", SUBMIT, 200, NULL, "{\"data\":[{\"b64_json\":\"AA",
      "unknown - code=no_result" },
    { NULL, SUBMIT, 0, NULL, NULL, NULL }
};

static const answer_t  openai_chat[] = {
    { "chat", SUBMIT, 200, NULL, "{\"choices\":[{\"message\":{\"role\":"
      "\"assistant\",\"content\":\"hi\"},\"finish_reason\":\"stop\"}],"
      "\"usage\":{\"total_tokens\":3}}", "ok done usage "
      "json:{\"role\":\"assistant\",\"content\":\"hi\"}" },
    { "chat", SUBMIT, 200, NULL, "{\"choices\":[{\"message\":{},"
      "\"finish_reason\":\"content_filter\"}]}", "content failed" },
    { "embeddings", SUBMIT, 200, NULL, "{\"data\":[{\"embedding\":[0.5,1]},"
      "{\"embedding\":[2]}]}", "ok done json:[0.5,1] json:[2]" },
    { "chat", SUBMIT, 429, "Retry-After: 20", "{}",
      "throttled - after=20" },
    { "chat", SUBMIT, 404, NULL, "{\"error\":{\"code\":"
      "\"model_not_found\"}}", "invalid - code=model_not_found" },
    { NULL, SUBMIT, 0, NULL, NULL, NULL }
};


/* an answer in one line */

static podi_str_t
told(const podi_provider_answer_t *a)
{
    size_t                    i;
    podi_buf_t                b;
    podi_str_t                s;
    static const char *const  kinds[] = { "url", "base64", "bytes", "json" };

    podi_buf_init(&b, mem);
    podi_buf_printf(&b, "%s %s", podi_provider_class_name(a->class),
                    podi_remote_name(a->state));

    if (a->retry_after) {
        podi_buf_printf(&b, " after=%u", a->retry_after);
    }

    if (a->id.len) {
        podi_buf_printf(&b, " id=" PODI_STR_FMT, podi_str_arg(&a->id));
    }

    podi_buf_add_c(&b, a->poll_url.len ? " poll" : "");
    podi_buf_add_c(&b, a->cancel_url.len ? " cancel" : "");
    podi_buf_add_c(&b, a->result_url.len ? " result" : "");

    if (a->position >= 0) {
        podi_buf_printf(&b, " position=%lld", (long long) a->position);
    }

    if (a->code.len) {
        podi_buf_printf(&b, " code=" PODI_STR_FMT, podi_str_arg(&a->code));
    }

    if (a->message.len) {
        podi_buf_printf(&b, " msg=" PODI_STR_FMT, podi_str_arg(&a->message));
    }

    if (a->n_missing) {
        podi_buf_printf(&b, " missing=%zu", a->n_missing);
    }

    podi_buf_add_c(&b, a->usage.len ? " usage" : "");

    for (i = 0; i < a->n_items; i++) {
        podi_buf_printf(&b, " %s:" PODI_STR_FMT, kinds[a->items[i].kind],
                        podi_str_arg(&a->items[i].value));
    }

    if (podi_buf_take(&b, &s) != PODI_OK) {
        abort();
    }

    return s;
}


static podi_str_t
answer(const podi_provider_op_t *op, const answer_t *given)
{
    const char              *colon;
    podi_pair_t              header;
    podi_provider_reply_t    reply;
    podi_provider_answer_t   a;

    memset(&reply, 0, sizeof(reply));
    reply.status = given->status;
    reply.body = str(given->body);

    if (given->header != NULL) {
        colon = strchr(given->header, ':');
        header.name.data = (unsigned char *) (uintptr_t) given->header;
        header.name.len = (size_t) (colon - given->header);
        header.value = str(colon + 2);
        reply.headers = &header;
        reply.n_headers = 1;
    }

    if (podi_provider_answer(op, given->step, &reply, mem, &a) != PODI_OK) {
        return str("no memory");
    }

    return told(&a);
}


static void
test_provider(const char *name, const answer_t *answers)
{
    size_t  i;

    for (i = 0; answers[i].op != NULL; i++) {
        is_str(answer(provider_shipped(mem, name, answers[i].op),
                      &answers[i]), answers[i].want,
               (const char *) text_of(mem, "%s %zu: %s", name, i,
                                      answers[i].want).data);
    }
}


/* a gateway gave up: what is behind it may go on, and nobody pays twice */

static void
test_doubts(const podi_provider_op_t *op)
{
    size_t                     i;
    podi_provider_reply_t      reply;
    podi_provider_answer_t     a;
    const podi_provider_op_t  *ruled;
    static const struct {
        unsigned               status;
        podi_provider_class_e  class;
    }  doubts[] = {
        { 408, PODI_PROVIDER_UNKNOWN }, { 502, PODI_PROVIDER_UNKNOWN },
        { 504, PODI_PROVIDER_UNKNOWN }, { 500, PODI_PROVIDER_RETRYABLE },
        { 503, PODI_PROVIDER_RETRYABLE }
    };

    memset(&reply, 0, sizeof(reply));
    ruled = provider_shipped(mem, "dashscope", "text_to_image");

    for (i = 0; i < sizeof(doubts) / sizeof(doubts[0]); i++) {
        reply.status = doubts[i].status;
        reply.body = str("");
        ok(podi_provider_answer(op, SUBMIT, &reply, mem, &a) == PODI_OK
           && a.class == doubts[i].class, "a submit: %u", reply.status);

        reply.body = str("{\"code\":\"InternalError.Timeout\"}");
        ok(podi_provider_answer(ruled, SUBMIT, &reply, mem, &a) == PODI_OK
           && a.class == doubts[i].class, "whatever a rule says");
        ok(podi_provider_answer(ruled, POLL, &reply, mem, &a) == PODI_OK
           && a.class == PODI_PROVIDER_RETRYABLE, "but for a poll");
    }

    reply.body = str("{\"code\":\"RequestTimeOut\"}");
    reply.status = 500;
    ok(podi_provider_answer(ruled, SUBMIT, &reply, mem, &a) == PODI_OK
       && a.class == PODI_PROVIDER_UNKNOWN, "a rule may say unknown");
}


/* nothing came back: was it sent? */

static void
test_silence(void)
{
    podi_provider_reply_t      reply;
    podi_provider_answer_t     a;
    const podi_provider_op_t  *op, *safe;

    memset(&reply, 0, sizeof(reply));
    op = provider_shipped(mem, "replicate", "upscale");
    safe = provider_op_of(mem, str("{\"name\":\"x\",\"base_url\":"
        "\"https://x\",\"operations\":{\"go\":{\"submit\":{\"url\":\"/\","
        "\"unknown_status\":[504],\"idempotency_header\":\"K\"},\"result\":"
        "{\"item_kind\":\"bytes\"}}}}"), "go");

    ok(podi_provider_answer(op, SUBMIT, &reply, mem, &a) == PODI_OK
       && a.class == PODI_PROVIDER_RETRYABLE, "not sent: again");

    reply.sent = 1;
    ok(podi_provider_answer(op, SUBMIT, &reply, mem, &a) == PODI_OK
       && a.class == PODI_PROVIDER_UNKNOWN, "sent: never again");
    ok(podi_provider_answer(op, POLL, &reply, mem, &a) == PODI_OK
       && a.class == PODI_PROVIDER_RETRYABLE, "a poll: again");
    ok(podi_provider_answer(safe, SUBMIT, &reply, mem, &a) == PODI_OK
       && a.class == PODI_PROVIDER_RETRYABLE, "sent under a key: again");

    test_doubts(op);

    reply.status = 504;
    ok(podi_provider_answer(safe, SUBMIT, &reply, mem, &a) == PODI_OK
       && a.class == PODI_PROVIDER_RETRYABLE, "a 504 under a key: again");
}


/* they say that our clock is wrong, and what theirs is */

static void
test_clock(void)
{
    size_t                     i;
    podi_pair_t                date = { podi_string("Date"), podi_null_str };
    podi_provider_reply_t      reply;
    podi_provider_answer_t     a;
    const podi_provider_op_t  *op;
    static const struct {
        const char   *date;
        podi_usec_t   time;                 /* seconds */
    }  dates[] = {
        { "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
        { "Thu, 31 Dec 2026 23:59:59 GMT", 1798761599 },
        { "Sun, 06 Nov 1994 08:49:37 GM", 0 },
        { "Sun, 06 Nox 1994 08:49:37 GMT", 0 },
        { "Sun, 06 Nov 1994 08:4x:37 GMT", 0 },
        { "Sunday, 06-Nov-94 08:49:37 GMT", 0 },
        { "", 0 }
    };

    op = provider_op_of(mem, str("{\"name\":\"x\",\"base_url\":"
        "\"https://x\",\"common\":{\"error_code_path\":\"c\",\"errors\":"
        "[{\"match\":{\"code_regex\":\"^T\"},\"class\":\"auth\","
        "\"clock\":\"theirs\"}]},\"operations\":{\"go\":{\"submit\":"
        "{\"url\":\"/\"},\"result\":{\"item_kind\":\"bytes\"}}}}"), "go");

    is_str(podi_provider_heard(op, 0), "Date", "its Date is listened to");

    memset(&reply, 0, sizeof(reply));
    reply.status = 401;
    reply.headers = &date;
    reply.n_headers = 1;

    for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        date.value = str(dates[i].date);
        reply.body = str("{\"c\":\"T\"}");
        ok(podi_provider_answer(op, SUBMIT, &reply, mem, &a) == PODI_OK
           && a.clock && a.their_time == dates[i].time * 1000000
           && a.follow == (dates[i].time > 0), "a clock: \"%s\"",
           dates[i].date);
    }

    reply.body = str("{\"c\":\"K\"}");
    ok(podi_provider_answer(op, SUBMIT, &reply, mem, &a) == PODI_OK
       && !a.clock, "another fault is none of the clock");
}


static void
test_redact(void)
{
    podi_provider_reply_t      reply;
    podi_provider_answer_t     a;
    const podi_provider_op_t  *op;

    op = provider_op_of(mem, str("{\"name\":\"x\",\"base_url\":\"https://x\","
        "\"common\":{\"error_code_path\":\"c\",\"error_message_path\":\"m\","
        "\"redact\":[\"user.mail\",\"list[*]\"]},\"operations\":{\"go\":"
        "{\"poll\":{\"url\":\"/\",\"state\":"
        "{\"from\":\"json_path\",\"path\":\"s\",\"map\":{\"r\":\"running\"}},"
        "\"progress_path\":\"p\",\"progress_scale\":100},"
        "\"result\":{\"item_kind\":\"bytes\"},\"submit\":{\"url\":\"/\","
        "\"id_path\":\"id\"}}}}"), "go");

    memset(&reply, 0, sizeof(reply));
    reply.status = 400;
    reply.body = str("{\"c\":\"bad\\nline\",\"m\":\"for a@b.cd and w0rd, "
                     "w0rd\\u0007\",\"user\":{\"mail\":\"a@b.cd\"},"
                     "\"list\":[\"x\",\"w0rd\"]}");

    ok(podi_provider_answer(op, POLL, &reply, mem, &a) == PODI_OK, "an error");
    is_str(a.code, "bad line", "no line ends in a code");
    is_str(a.message, "for *** and ***, *** ", "what is secret is hidden");

    reply.status = 200;
    reply.body = str("{\"s\":\"r\",\"p\":0.42}");
    ok(podi_provider_answer(op, POLL, &reply, mem, &a) == PODI_OK, "running");
    is_int(a.progress, 42, "its progress, in percent");
    reply.body = str("{\"s\":\"r\",\"p\":1e99}");
    ok(podi_provider_answer(op, POLL, &reply, mem, &a) == PODI_OK, "running");
    is_int(a.progress, 99, "never more than 99");
    reply.body = str("{\"s\":\"r\",\"p\":-5}");
    ok(podi_provider_answer(op, POLL, &reply, mem, &a) == PODI_OK, "running");
    is_int(a.progress, 0, "never less than 0");
}


int
main(void)
{
    podi_arena_t  *arena;

    arena = podi_arena_create();
    mem = podi_arena_mem(arena);

    test_provider("replicate", replicate);
    test_provider("fal", fal);
    test_provider("dashscope", dashscope);
    test_provider("volc_visual", volc_visual);
    test_provider("volc_ark", volc_ark);
    test_provider("stability", stability);
    test_provider("openai_images", openai_images);
    test_provider("openai_chat", openai_chat);
    test_silence();
    test_redact();
    test_clock();

    podi_arena_free(&arena);

    return tap_done();
}
