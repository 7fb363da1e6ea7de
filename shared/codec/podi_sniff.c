/*
 * podi_sniff: one table of start bytes; then containers; then text.
 *
 * ISO media files (AVIF, HEIC, MP4) say "ftyp" at 4 and a brand at 8; the
 * brands mif1 and msf1 are common to AVIF and HEIC, and then the list of
 * compatible brands behind them decides.  Matroska files name their kind in
 * their first element.
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
    { PODI_MEDIA_WAV, 12, "RIFF????WAVE" },
    { PODI_MEDIA_FLAC, 4, "fLaC" },
    { PODI_MEDIA_OGG, 5, "OggS\0" },
    { PODI_MEDIA_MP3, 4, "ID3\2" },
    { PODI_MEDIA_MP3, 4, "ID3\3" },
    { PODI_MEDIA_MP3, 4, "ID3\4" },
    { PODI_MEDIA_MP3, 2, "\xff\xfb" },
    { PODI_MEDIA_MP3, 2, "\xff\xfa" },
    { PODI_MEDIA_MP3, 2, "\xff\xf3" },
    { PODI_MEDIA_MP3, 2, "\xff\xf2" },
    { PODI_MEDIA_GLB, 8, "glTF\2\0\0\0" },
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
    { "video/mp4", "mp4" },
    { "video/webm", "webm" },
    { "audio/wav", "wav" },
    { "audio/mpeg", "mp3" },
    { "audio/flac", "flac" },
    { "audio/ogg", "ogg" },
    { "model/gltf-binary", "glb" },
    { "application/json", "json" },
    { "text/plain", "txt" },
};


static int podi_sniff_match(const podi_str_t *head, const podi_sniff_t *s);
static podi_media_e podi_sniff_iso(const podi_str_t *head);
static podi_media_e podi_sniff_brand(const unsigned char *brand);
static podi_media_e podi_sniff_ebml(const podi_str_t *head);
static podi_media_e podi_sniff_text(const podi_str_t *head);
static int podi_sniff_is_text(const podi_str_t *head);
static int podi_sniff_is_json(const unsigned char *p,
    const unsigned char *end);
static const unsigned char *podi_sniff_blank(const unsigned char *p,
    const unsigned char *end);


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

    if (head->len >= 4 && memcmp(head->data, "\x1a\x45\xdf\xa3", 4) == 0) {
        return podi_sniff_ebml(head);
    }

    return podi_sniff_text(head);
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
    static const char  *mp4[] = { "isom", "iso2", "iso3", "iso4", "iso5",
                                  "iso6", "mp41", "mp42", "avc1", "M4V ",
                                  "dash", "MSNV" };

    if (memcmp(brand, "avif", 4) == 0 || memcmp(brand, "avis", 4) == 0) {
        return PODI_MEDIA_AVIF;
    }

    for (i = 0; i < sizeof(heic) / sizeof(heic[0]); i++) {
        if (memcmp(brand, heic[i], 4) == 0) {
            return PODI_MEDIA_HEIC;
        }
    }

    for (i = 0; i < sizeof(mp4) / sizeof(mp4[0]); i++) {
        if (memcmp(brand, mp4[i], 4) == 0) {
            return PODI_MEDIA_MP4;
        }
    }

    return PODI_MEDIA_UNKNOWN;
}


/* DocType (42 82), four bytes of it: of all of Matroska only WebM is ours */

static podi_media_e
podi_sniff_ebml(const podi_str_t *head)
{
    size_t             i;
    static const char  type[] = "\x42\x82\x84webm";

    for (i = 4; i + sizeof(type) - 1 <= head->len; i++) {
        if (memcmp(head->data + i, type, sizeof(type) - 1) == 0) {
            return PODI_MEDIA_WEBM;
        }
    }

    return PODI_MEDIA_UNKNOWN;
}


static podi_media_e
podi_sniff_text(const podi_str_t *head)
{
    const unsigned char  *p, *end;

    if (!podi_sniff_is_text(head)) {
        return PODI_MEDIA_UNKNOWN;
    }

    end = head->data + head->len;
    p = head->data;

    if (head->len >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) {
        p += 3;
    }

    p = podi_sniff_blank(p, end);

    /* a browser that was told "text" might still see a document in these */

    if (p == end || *p == '<'
        || (end - p >= 4 && memcmp(p, "%PDF", 4) == 0))
    {
        return PODI_MEDIA_UNKNOWN;
    }

    return podi_sniff_is_json(p, end) ? PODI_MEDIA_JSON : PODI_MEDIA_TEXT;
}


/* a head that is full may end within a character */

static int
podi_sniff_is_text(const podi_str_t *head)
{
    size_t         i;
    podi_str_t     s = *head;
    unsigned char  c;

    if (s.len >= PODI_SNIFF_LEN && s.data[s.len - 1] >= 0x80) {
        while (s.len > 0 && (s.data[s.len - 1] & 0xc0) == 0x80) {
            s.len--;
        }

        s.len -= (s.len > 0);
    }

    for (i = 0; i < s.len; i++) {
        c = s.data[i];

        if ((c < ' ' && c != '\t' && c != '\n' && c != '\r') || c == 0x7f) {
            return 0;
        }
    }

    return podi_str_is_utf8(&s);
}


/* an object or a list, by what its first token is followed by */

static int
podi_sniff_is_json(const unsigned char *p, const unsigned char *end)
{
    unsigned char  first = *p;

    p = podi_sniff_blank(p + 1, end);

    if (p == end) {
        return first == '{' || first == '[';
    }

    return (first == '{' && strchr("\"}", *p) != NULL)
           || (first == '[' && strchr("\"{[]-0123456789tfn", *p) != NULL);
}


static const unsigned char *
podi_sniff_blank(const unsigned char *p, const unsigned char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')) {
        p++;
    }

    return p;
}


int
podi_media_is_picture(podi_media_e type)
{
    return type >= PODI_MEDIA_JPEG && type <= PODI_MEDIA_TIFF;
}


int
podi_media_is_text(podi_media_e type)
{
    return type == PODI_MEDIA_JSON || type == PODI_MEDIA_TEXT;
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
