/*
 * direct: jobs of a ComfyUI server as whoever calls it himself runs them.
 *
 *     direct URL N WORK_MS PROMPT INPUT KIND
 *
 *     upload -> POST /prompt -> WORK_MS -> GET /history, every ms until it is
 *         there -> GET /view -> PUT into the store -> the next one
 *
 * PROMPT is the text of a prompt whose id is 36 times '@'.  One connection,
 * kept.  Prints ms of each job, a line each, then "cpu" and its ms of
 * processor time per job.  KIND is the type that the file is stored with.
 */

#include <curl/curl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define ID_LEN  36

typedef struct {
    char    *data;
    size_t   len;
} text_t;


static CURL        *curl;
static const char  *base;
static text_t       reply;


static void
die(const char *what)
{
    fprintf(stderr, "direct: %s\n", what);
    exit(1);
}


static size_t
keep(char *data, size_t size, size_t n, void *ctx)
{
    (void) ctx;

    reply.data = realloc(reply.data, reply.len + size * n + 1);
    memcpy(reply.data + reply.len, data, size * n);
    reply.len += size * n;
    reply.data[reply.len] = '\0';

    return size * n;
}


static text_t
read_file(const char *path)
{
    FILE    *file = fopen(path, "r");
    long     len;
    text_t   t;

    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        die(path);
    }

    len = ftell(file);
    rewind(file);
    t.data = malloc((size_t) len + 1);
    t.len = fread(t.data, 1, (size_t) len, file);
    t.data[t.len] = '\0';
    fclose(file);

    return t;
}


/* what was set besides is forgotten afterwards, the connection is not */

static void
ask(const char *path)
{
    long  status;
    char  url[1024];

    (void) snprintf(url, sizeof(url), "%s%s", base, path);
    reply.len = 0;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_TCP_NODELAY, 1L);

    if (curl_easy_perform(curl) != CURLE_OK
        || curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK
        || status != 200)
    {
        die(url);
    }

    curl_easy_reset(curl);
}


static void
send_body(const char *path, const char *type, const text_t *body, int is_put)
{
    char                header[128];
    struct curl_slist  *headers = NULL;

    (void) snprintf(header, sizeof(header), "Content-Type: %s", type);
    headers = curl_slist_append(headers, header);
    headers = curl_slist_append(headers, "Expect:");
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body->data);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t) body->len);

    if (is_put) {
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, "PUT");
    }

    ask(path);
    curl_slist_free_all(headers);
}


static void
upload(const text_t *input)
{
    curl_mime      *mime = curl_mime_init(curl);
    curl_mimepart  *part;

    part = curl_mime_addpart(mime);
    curl_mime_name(part, "type");
    curl_mime_data(part, "input", CURL_ZERO_TERMINATED);
    part = curl_mime_addpart(mime);
    curl_mime_name(part, "image");
    curl_mime_filename(part, "in1.png");
    curl_mime_data(part, input->data, input->len);
    curl_easy_setopt(curl, CURLOPT_MIMEPOST, mime);
    ask("/upload/image");
    curl_mime_free(mime);
}


static double
run(int n, int wait_ms, text_t *prompt, const text_t *input,
    const char *type)
{
    char             id[ID_LEN + 1], path[128], *at;
    text_t           made;
    struct timespec  begun, over;

    (void) snprintf(id, sizeof(id), "00000000-0000-4000-8000-%012d", n);
    at = strchr(prompt->data, '@');
    if (at == NULL) {
        at = strstr(prompt->data, "00000000-0000-4000-8000-");
    }

    memcpy(at, id, ID_LEN);
    clock_gettime(CLOCK_MONOTONIC, &begun);
    upload(input);
    send_body("/prompt", "application/json", prompt, 0);

    (void) snprintf(path, sizeof(path), "/history/%s", id);

    do {
        (void) poll(NULL, 0, wait_ms);
        wait_ms = 1;
        ask(path);
    } while (reply.len < ID_LEN);

    ask("/view?filename=out_00001_.png&type=output");
    made = reply;
    memset(&reply, 0, sizeof(reply));
    (void) snprintf(path, sizeof(path), "/b/t/r/%s", id);
    send_body(path, type, &made, 1);
    free(made.data);
    clock_gettime(CLOCK_MONOTONIC, &over);

    return 1000.0 * (double) (over.tv_sec - begun.tv_sec)
           + (double) (over.tv_nsec - begun.tv_nsec) / 1e6;
}


static double
cpu_ms(void)
{
    struct rusage  u;

    getrusage(RUSAGE_SELF, &u);

    return 1000.0 * (double) (u.ru_utime.tv_sec + u.ru_stime.tv_sec)
           + (double) (u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1000.0;
}


int
main(int argc, char **argv)
{
    int     i, n, work_ms;
    double  began;
    text_t  prompt, input;

    if (argc != 7) {
        die("direct URL N WORK_MS PROMPT INPUT KIND");
    }

    base = argv[1];
    n = (int) strtol(argv[2], NULL, 10);
    work_ms = (int) strtol(argv[3], NULL, 10);
    prompt = read_file(argv[4]);
    input = read_file(argv[5]);
    curl = curl_easy_init();
    began = cpu_ms();

    for (i = 0; i < n; i++) {
        printf("%.3f\n", run(i + 1, work_ms, &prompt, &input, argv[6]));
    }

    printf("cpu %.3f\n", (cpu_ms() - began) / n);

    return 0;
}
