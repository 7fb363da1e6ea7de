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
    PODI_MEDIA_LAST
} podi_media_e;


podi_media_e podi_sniff(const podi_str_t *head);

/* "image/jpeg"; "application/octet-stream" for UNKNOWN */
const char *podi_media_mime(podi_media_e type);

/* "jpg"; "bin" for UNKNOWN */
const char *podi_media_suffix(podi_media_e type);

/* parameters after ';' and case do not matter; UNKNOWN when it is not ours */
podi_media_e podi_media_by_mime(const podi_str_t *mime);


#endif /* PODI_SNIFF_H */
