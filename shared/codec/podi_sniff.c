/*
 * podi_sniff: one table of start bytes.
 *
 * ISO media files (AVIF, HEIC) say "ftyp" at 4 and a brand at 8; the brands
 * mif1 and msf1 are common to both, and then the list of compatible brands
 * behind them decides.
 */

#include <string.h>
#include <strings.h>

#include "podi_sniff.h"
#include "banned.h"


typedef struct {
    podi_media_e  type;
    size_t        len;
    const char   *bytes;                /* '?' stands for any byte */
} podi_sniff_t;

typedef struct {
    const char  *mime;
    const char  *suffix;
} podi_media_name_t;


static const podi_sniff_t  podi_sniffs[] = {
    { PODI_MEDIA_JPEG, 3, "\xff\xd8\xff" },
    { PODI_MEDIA_PNG, 8, "\x89PNG\r\n\x1a\n" },
    { PODI_MEDIA_GIF, 6, "GIF87a" },
    { PODI_MEDIA_GIF, 6, "GIF89a" },
    { PODI_MEDIA_WEBP, 12, "RIFF????WEBP" },
    { PODI_MEDIA_JXL, 2, "\xff\x0a" },
    { PODI_MEDIA_JXL, 12, "\0\0\0\x0cJXL \r\n\x87\n" },
    { PODI_MEDIA_TIFF, 4, "II*\0" },
    { PODI_MEDIA_TIFF, 4, "MM\0*" },
    { PODI_MEDIA_BMP, 2, "BM" },
};

static const podi_media_name_t  podi_media_names[] = {
    { "application/octet-stream", "bin" },
    { "image/jpeg", "jpg" },
    { "image/png", "png" },
    { "image/gif", "gif" },
    { "image/webp", "webp" },
    { "image/avif", "avif" },
    { "image/heic", "heic" },
    { "image/jxl", "jxl" },
    { "image/bmp", "bmp" },
    { "image/tiff", "tiff" },
};


static int podi_sniff_match(const podi_str_t *head, const podi_sniff_t *s);
static podi_media_e podi_sniff_iso(const podi_str_t *head);
static podi_media_e podi_sniff_brand(const unsigned char *brand);


podi_media_e
podi_sniff(const podi_str_t *head)
{
    unsigned  i;

    for (i = 0; i < sizeof(podi_sniffs) / sizeof(podi_sniffs[0]); i++) {
        if (podi_sniff_match(head, &podi_sniffs[i])) {
            return podi_sniffs[i].type;
        }
    }

    if (head->len >= 16 && memcmp(head->data + 4, "ftyp", 4) == 0) {
        return podi_sniff_iso(head);
    }

    return PODI_MEDIA_UNKNOWN;
}


static int
podi_sniff_match(const podi_str_t *head, const podi_sniff_t *s)
{
    size_t  i;

    if (head->len < s->len) {
        return 0;
    }

    for (i = 0; i < s->len; i++) {
        if (s->bytes[i] != '?'
            && head->data[i] != (unsigned char) s->bytes[i])
        {
            return 0;
        }
    }

    return 1;
}


static podi_media_e
podi_sniff_iso(const podi_str_t *head)
{
    size_t         i, end;
    podi_media_e   type;

    type = podi_sniff_brand(head->data + 8);

    if (type != PODI_MEDIA_UNKNOWN) {
        return type;
    }

    if (memcmp(head->data + 8, "mif1", 4) != 0
        && memcmp(head->data + 8, "msf1", 4) != 0)
    {
        return PODI_MEDIA_UNKNOWN;
    }

    /* the box's own length bounds the list */

    end = (size_t) head->data[0] << 24 | (size_t) head->data[1] << 16
          | (size_t) head->data[2] << 8 | (size_t) head->data[3];

    if (end > head->len) {
        end = head->len;
    }

    for (i = 16; i + 4 <= end; i += 4) {
        if (podi_sniff_brand(head->data + i) == PODI_MEDIA_AVIF) {
            return PODI_MEDIA_AVIF;
        }
    }

    return PODI_MEDIA_HEIC;
}


static podi_media_e
podi_sniff_brand(const unsigned char *brand)
{
    unsigned            i;
    static const char  *heic[] = { "heic", "heix", "hevc", "heim", "heis",
                                   "hevm", "hevs" };

    if (memcmp(brand, "avif", 4) == 0 || memcmp(brand, "avis", 4) == 0) {
        return PODI_MEDIA_AVIF;
    }

    for (i = 0; i < sizeof(heic) / sizeof(heic[0]); i++) {
        if (memcmp(brand, heic[i], 4) == 0) {
            return PODI_MEDIA_HEIC;
        }
    }

    return PODI_MEDIA_UNKNOWN;
}


const char *
podi_media_mime(podi_media_e type)
{
    return podi_media_names[type < PODI_MEDIA_LAST ? type : 0].mime;
}


const char *
podi_media_suffix(podi_media_e type)
{
    return podi_media_names[type < PODI_MEDIA_LAST ? type : 0].suffix;
}


podi_media_e
podi_media_by_mime(const podi_str_t *mime)
{
    unsigned    i;
    podi_str_t  rest = *mime, type;

    if (!podi_str_split(&rest, ';', &type)) {
        return PODI_MEDIA_UNKNOWN;
    }

    while (type.len && (type.data[type.len - 1] == ' '
                        || type.data[type.len - 1] == '\t'))
    {
        type.len--;
    }

    for (i = 1; i < PODI_MEDIA_LAST; i++) {
        if (type.len == strlen(podi_media_names[i].mime)
            && strncasecmp((char *) type.data, podi_media_names[i].mime,
                           type.len) == 0)
        {
            return (podi_media_e) i;
        }
    }

    return PODI_MEDIA_UNKNOWN;
}
