/*
 * picture_open: from first bytes to an image whose pixels wait.
 *
 * The first bytes choose the one loader that is let in; then the header is
 * judged.  libvips decodes nothing before somebody asks for pixels.
 */

#define _GNU_SOURCE                 /* strcasestr */

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "picture.h"
#include "banned.h"

typedef struct {
    podi_media_e   type;
    const char    *loader;          /* libvips' class */
} open_loader_t;


static podi_rc_t open_loader(picture_t *p);
static podi_rc_t open_judge(picture_t *p, VipsImage *image);


static const open_loader_t  open_loaders[] = {
    { PODI_MEDIA_JPEG, "VipsForeignLoadJpeg" },
    { PODI_MEDIA_PNG, "VipsForeignLoadPng" },
    { PODI_MEDIA_WEBP, "VipsForeignLoadWebp" },
    { PODI_MEDIA_GIF, "VipsForeignLoadNsgif" },
    { PODI_MEDIA_TIFF, "VipsForeignLoadTiff" },
    { PODI_MEDIA_UNKNOWN, NULL }
};


/*
 * Modules (ImageMagick, Poppler, OpenSlide, HEIF) are looked for under
 * VIPSHOME, where none are: what is not loaded cannot be broken.
 */

podi_rc_t
picture_init(podi_fail_t *fail)
{
    if (setenv("VIPSHOME", "/nonexistent", 1) == -1
        || setenv("VIPS_DISC_THRESHOLD", "1024g", 1) == -1
        || vips_init("podi_imaged") != 0)
    {
        return podi_fail(fail, PODI_E_INTERNAL, NULL, "libvips: %.200s",
                         vips_error_buffer());
    }

    vips_block_untrusted_set(TRUE);
    vips_operation_block_set("VipsForeignLoad", TRUE);
    vips_concurrency_set(1);
    vips_cache_set_max(0);

    return PODI_OK;
}


podi_rc_t
picture_header(picture_t *p)
{
    podi_rc_t   rc;
    VipsImage  *image;

    if (open_loader(p) != PODI_OK) {
        return PODI_ERROR;
    }

    image = picture_open(p);
    if (image == NULL) {
        return PODI_ERROR;
    }

    rc = open_judge(p, image);
    g_object_unref(image);

    return rc;
}


static podi_rc_t
open_loader(picture_t *p)
{
    ssize_t               n;
    podi_str_t            head;
    unsigned char         bytes[PODI_SNIFF_LEN];
    const open_loader_t  *row;

    n = pread(p->in, bytes, sizeof(bytes), 0);

    head.data = bytes;
    head.len = (n > 0) ? (size_t) n : 0;

    p->type = podi_sniff(&head);

    for (row = open_loaders; row->loader != NULL; row++) {
        if (row->type == p->type) {
            vips_operation_block_set(row->loader, FALSE);
            return PODI_OK;
        }
    }

    return podi_fail(&p->fail, PODI_E_PICTURE_INVALID, NULL,
                     "its first bytes are not those of a picture");
}


VipsSource *
picture_source(picture_t *p)
{
    VipsSource  *source;

    (void) lseek(p->in, 0, SEEK_SET);

    source = vips_source_new_from_descriptor(p->in);
    if (source == NULL) {
        (void) picture_fault(p, "opening");
    }

    return source;
}


VipsImage *
picture_open(picture_t *p)
{
    VipsImage   *image;
    VipsSource  *source;

    source = picture_source(p);
    if (source == NULL) {
        return NULL;
    }

    image = vips_image_new_from_source(source, "",
                                       "access", VIPS_ACCESS_SEQUENTIAL,
                                       "fail_on", VIPS_FAIL_ON_ERROR, NULL);
    g_object_unref(source);

    if (image == NULL) {
        (void) picture_fault(p, "reading the header");
    }

    return image;
}


/* an animation counts with all its frames, though only the first is used */

static podi_rc_t
open_judge(picture_t *p, VipsImage *image)
{
    int64_t  width, height, frames;

    width = vips_image_get_width(image);
    height = vips_image_get_height(image);
    frames = vips_image_get_n_pages(image);

    if (width < 1 || height < 1 || frames < 1) {
        return podi_fail(&p->fail, PODI_E_PICTURE_INVALID, NULL,
                         "its header makes no sense");
    }

    if (width > p->limits.max_dimension || height > p->limits.max_dimension
        || frames > p->limits.max_pixels / (width * height))
    {
        return podi_fail(&p->fail, PODI_E_PICTURE_TOO_LARGE, NULL,
                         "%lld x %lld pixels in %lld frames",
                         (long long) width, (long long) height,
                         (long long) frames);
    }

    p->orientation = vips_image_get_orientation(image);
    p->source_width = (p->orientation >= 5) ? height : width;
    p->source_height = (p->orientation >= 5) ? width : height;

    return PODI_OK;
}


/*
 * Whose fault it was: the disk's, the limits' or the picture's.  libvips
 * has words only.
 */

podi_rc_t
picture_fault(picture_t *p, const char *what)
{
    char          text[160];
    char         *c;
    podi_error_e  error = PODI_E_PICTURE_INVALID;

    (void) snprintf(text, sizeof(text), "%s", vips_error_buffer());
    vips_error_clear();

    for (c = text; *c != '\0'; c++) {
        *c = isprint((unsigned char) *c) ? *c : ' ';
    }

    if (p->write_errno == EFBIG) {
        error = PODI_E_PICTURE_TOO_LARGE;

    } else if (p->write_errno == ENOSPC || p->write_errno == EDQUOT) {
        error = PODI_E_STORAGE_FULL;

    } else if (p->write_errno != 0) {
        error = PODI_E_INTERNAL;

    } else if (strcasestr(text, "memory") != NULL
               || strstr(text, "creating thread") != NULL)
    {
        error = PODI_E_PICTURE_TOO_LARGE;
    }

    return podi_fail(&p->fail, error, NULL, "%s: %s", what, text);
}
