/*
 * podi_sniff: what a file is, by its first bytes and never by its name.
 */

#ifndef PODI_SNIFF_H
#define PODI_SNIFF_H


#include "podi_str.h"


#define PODI_SNIFF_LEN  64          /* bytes that are worth collecting */

typedef enum {
    PODI_MEDIA_UNKNOWN,
    PODI_MEDIA_JPEG,
    PODI_MEDIA_PNG,
    PODI_MEDIA_GIF,
    PODI_MEDIA_WEBP,
    PODI_MEDIA_AVIF,
    PODI_MEDIA_HEIC,
    PODI_MEDIA_JXL,
    PODI_MEDIA_BMP,
    PODI_MEDIA_TIFF,
    PODI_MEDIA_MP4,
    PODI_MEDIA_WEBM,
    PODI_MEDIA_WAV,
    PODI_MEDIA_MP3,
    PODI_MEDIA_FLAC,
    PODI_MEDIA_OGG,
    PODI_MEDIA_GLB,
    PODI_MEDIA_JSON,
    PODI_MEDIA_TEXT,
    PODI_MEDIA_LAST
} podi_media_e;


/*
 * JSON and TEXT are what is left: UTF-8 without control characters, as far as
 * `head` goes.  Markup (SVG, HTML, XML) is neither: it is UNKNOWN.
 */
podi_media_e podi_sniff(const podi_str_t *head);

/* what may be uploaded; the rest is what executors deliver */
int podi_media_is_picture(podi_media_e type);

/* JSON, TEXT: to be saved, never to be shown by a browser */
int podi_media_is_text(podi_media_e type);

/* "image/jpeg"; "application/octet-stream" for UNKNOWN */
const char *podi_media_mime(podi_media_e type);

/* "jpg"; "bin" for UNKNOWN */
const char *podi_media_suffix(podi_media_e type);

/* parameters after ';' and case do not matter; UNKNOWN when it is not ours */
podi_media_e podi_media_by_mime(const podi_str_t *mime);


#endif /* PODI_SNIFF_H */
