/*
 * picture_strip: a PNG without the texts that programs leave in it.
 *
 *     signature -> IHDR -> (chunk: copied or left out) ... -> IEND
 *
 * Nothing is decoded: what is kept is kept byte by byte, pixels and their
 * checksums.  Left out are texts, EXIF, "comf" (where ComfyUI keeps its graph
 * in an animation), and whatever comes after the end.  Lengths are those of a
 * stranger: each is counted in 64 bits, and trusted as far as the file goes.
 */

#include <endian.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "picture.h"
#include "banned.h"

#define STRIP_HEAD   8              /* length, type */
#define STRIP_CRC    4
#define STRIP_IHDR   13
#define STRIP_PIECE  65536

typedef struct {
    picture_t  *p;
    off_t       at;                     /* in the file */
    char        type[4];
    unsigned    has_pixels:1;
} strip_t;


static podi_rc_t strip_begin(strip_t *s);
static podi_rc_t strip_size(strip_t *s, const unsigned char *ihdr);
static podi_rc_t strip_chunk(strip_t *s);
static podi_rc_t strip_copy(strip_t *s, off_t len);
static podi_rc_t strip_read(strip_t *s, void *bytes, size_t len, off_t at);
static podi_rc_t strip_write(strip_t *s, const unsigned char *bytes,
    size_t len);
static int strip_is(const strip_t *s, const char *type);
static int strip_is_left_out(const strip_t *s);
static podi_rc_t strip_bad(strip_t *s, const char *what);


podi_rc_t
picture_strip(picture_t *p)
{
    strip_t  s;

    memset(&s, 0, sizeof(strip_t));

    s.p = p;

    if (strip_begin(&s) != PODI_OK) {
        return PODI_ERROR;
    }

    do {
        if (strip_chunk(&s) != PODI_OK) {
            return PODI_ERROR;
        }

    } while (!strip_is(&s, "IEND"));

    if (!s.has_pixels) {
        return strip_bad(&s, "it has no pixels");
    }

    p->made = PODI_MEDIA_PNG;
    p->made_width = p->source_width;
    p->made_height = p->source_height;

    return PODI_OK;
}


/* the signature and the first chunk, which says how large the picture is */

static podi_rc_t
strip_begin(strip_t *s)
{
    podi_str_t     text;
    unsigned char  head[PODI_SNIFF_LEN];

    static const unsigned char  ihdr[] = "\0\0\0\x0dIHDR";
    const size_t                signature = 8;
    const size_t                len = signature + STRIP_HEAD + STRIP_IHDR;

    if (strip_read(s, head, len, 0) != PODI_OK) {
        return PODI_ERROR;
    }

    text.data = head;
    text.len = len;

    if (podi_sniff(&text) != PODI_MEDIA_PNG
        || memcmp(head + signature, ihdr, STRIP_HEAD) != 0)
    {
        return strip_bad(s, "it does not begin as a PNG");
    }

    if (strip_size(s, head + signature + STRIP_HEAD) != PODI_OK) {
        return PODI_ERROR;
    }

    return strip_copy(s, (off_t) len + STRIP_CRC);
}


static podi_rc_t
strip_size(strip_t *s, const unsigned char *ihdr)
{
    uint32_t    width, height;
    picture_t  *p = s->p;

    memcpy(&width, ihdr, sizeof(width));
    memcpy(&height, ihdr + sizeof(width), sizeof(height));

    p->source_width = be32toh(width);
    p->source_height = be32toh(height);

    if (p->source_width == 0 || p->source_height == 0) {
        return strip_bad(s, "its header makes no sense");
    }

    if (p->source_width > p->limits.max_dimension
        || p->source_height > p->limits.max_dimension
        || p->source_width * p->source_height > p->limits.max_pixels)
    {
        return podi_fail(&p->fail, PODI_E_PICTURE_TOO_LARGE, NULL,
                         "%lld x %lld pixels", (long long) p->source_width,
                         (long long) p->source_height);
    }

    return PODI_OK;
}


static podi_rc_t
strip_chunk(strip_t *s)
{
    uint32_t       len;
    unsigned char  head[STRIP_HEAD];

    if (strip_read(s, head, sizeof(head), s->at) != PODI_OK) {
        return PODI_ERROR;
    }

    memcpy(&len, head, sizeof(len));
    memcpy(s->type, head + sizeof(len), sizeof(s->type));
    len = be32toh(len);

    /* one that leads behind the end is found by whoever reads next */

    if (strip_is_left_out(s)) {
        s->at += (off_t) len + STRIP_HEAD + STRIP_CRC;
        return PODI_OK;
    }

    s->has_pixels |= strip_is(s, "IDAT");

    return strip_copy(s, (off_t) len + STRIP_HEAD + STRIP_CRC);
}


static podi_rc_t
strip_copy(strip_t *s, off_t len)
{
    size_t         n;
    unsigned char  piece[STRIP_PIECE];

    while (len > 0) {
        n = (len < STRIP_PIECE) ? (size_t) len : STRIP_PIECE;

        if (strip_read(s, piece, n, s->at) != PODI_OK
            || strip_write(s, piece, n) != PODI_OK)
        {
            return PODI_ERROR;
        }

        s->at += (off_t) n;
        len -= (off_t) n;
    }

    return PODI_OK;
}


static podi_rc_t
strip_read(strip_t *s, void *bytes, size_t len, off_t at)
{
    size_t   done;
    ssize_t  n;

    for (done = 0; done < len; done += (size_t) n) {
        n = pread(s->p->in, (unsigned char *) bytes + done, len - done,
                  at + (off_t) done);

        if (n == -1 && errno == EINTR) {
            n = 0;
            continue;
        }

        if (n == -1) {
            return podi_fail(&s->p->fail, PODI_E_INTERNAL, NULL,
                             "reading: %s", strerror(errno));
        }

        if (n == 0) {
            return strip_bad(s, "it ends too early");
        }
    }

    return PODI_OK;
}


static podi_rc_t
strip_write(strip_t *s, const unsigned char *bytes, size_t len)
{
    size_t   done;
    ssize_t  n;

    for (done = 0; done < len; done += (size_t) n) {
        n = write(PODI_PICTURE_OUT, bytes + done, len - done);

        if (n == -1 && errno == EINTR) {
            n = 0;
            continue;
        }

        if (n == -1) {
            s->p->write_errno = errno;
            return picture_fault(s->p, "storing");
        }
    }

    return PODI_OK;
}


static int
strip_is(const strip_t *s, const char *type)
{
    return memcmp(s->type, type, sizeof(s->type)) == 0;
}


static int
strip_is_left_out(const strip_t *s)
{
    unsigned  i;

    static const char  *out[] = { "tEXt", "iTXt", "zTXt", "eXIf", "comf" };

    for (i = 0; i < sizeof(out) / sizeof(out[0]); i++) {
        if (strip_is(s, out[i])) {
            return 1;
        }
    }

    return 0;
}


static podi_rc_t
strip_bad(strip_t *s, const char *what)
{
    return podi_fail(&s->p->fail, PODI_E_PICTURE_INVALID, NULL, "%s", what);
}
