/*
 * picture_montage: one picture of several, in cells of one size, row by row.
 *
 *     size of the whole -> each: header -> shrunk -> opaque -> kept in memory
 *                       -> joined -> saved
 *
 * The size of the result is judged before the first header is read; a cell is
 * as large as it will be seen when it is kept, however large its picture was.
 */

#include "picture.h"
#include "banned.h"


static podi_rc_t montage_judge(picture_t *p);
static VipsImage *montage_cell(picture_t *p, unsigned i);
static VipsImage *montage_opaque(picture_t *p, VipsImage *image);
static VipsImage *montage_join(picture_t *p, VipsImage **cells);
static VipsArrayDouble *montage_background(const picture_t *p);


podi_rc_t
picture_montage(picture_t *p)
{
    unsigned    i, n = 0;
    VipsImage  *cells[PODI_PICTURE_INPUTS_MAX], *whole = NULL;

    if (montage_judge(p) != PODI_OK) {
        return PODI_ERROR;
    }

    while (n < p->inputs) {
        cells[n] = montage_cell(p, n);

        if (cells[n] == NULL) {
            break;
        }

        n++;
    }

    if (n == p->inputs) {
        whole = montage_join(p, cells);
    }

    for (i = 0; i < n; i++) {
        g_object_unref(cells[i]);
    }

    return picture_finish(p, whole);
}


static podi_rc_t
montage_judge(picture_t *p)
{
    int64_t  rows, width, height, square, limit;

    for (square = 1; square * square < p->inputs; square++) { /* void */ }

    p->columns = VIPS_MIN(p->columns > 0 ? p->columns : square, p->inputs);
    rows = (p->inputs + p->columns - 1) / p->columns;
    width = p->columns * (p->cell + p->gap) - p->gap;
    height = rows * (p->cell + p->gap) - p->gap;

    limit = p->limits.max_dimension;

    if (p->format == PODI_MEDIA_WEBP) {
        limit = VIPS_MIN(limit, PICTURE_WEBP_MAX);
    }

    if (width > limit || height > limit
        || width * height > p->limits.max_pixels)
    {
        return podi_fail(&p->fail, PODI_E_PICTURE_TOO_LARGE, NULL,
                         "the result would have %lld x %lld pixels",
                         (long long) width, (long long) height);
    }

    return PODI_OK;
}


static VipsImage *
montage_cell(picture_t *p, unsigned i)
{
    VipsImage  *image, *kept;

    p->in = podi_picture_fd(i);
    p->width = p->cell;
    p->height = p->cell;

    if (picture_header(p) != PODI_OK || picture_target(p) != PODI_OK) {
        return NULL;
    }

    image = montage_opaque(p, picture_shrunk(p));

    if (image == NULL) {
        return NULL;
    }

    kept = vips_image_copy_memory(image);
    g_object_unref(image);

    if (kept == NULL) {
        (void) picture_fault(p, "decoding");
    }

    return kept;
}


/* three bands of 8 bits, whatever it was; takes the image */

static VipsImage *
montage_opaque(picture_t *p, VipsImage *image)
{
    int               rc;
    VipsImage        *out;
    VipsArrayDouble  *background;

    if (image == NULL) {
        return NULL;
    }

    rc = vips_colourspace(image, &out, VIPS_INTERPRETATION_sRGB, NULL);
    g_object_unref(image);

    if (rc == 0 && vips_image_hasalpha(out)) {
        image = out;
        background = montage_background(p);
        rc = vips_flatten(image, &out, "background", background, NULL);
        vips_area_unref(VIPS_AREA(background));
        g_object_unref(image);
    }

    if (rc != 0) {
        (void) picture_fault(p, "laying it on the background");
        return NULL;
    }

    return out;
}


static VipsImage *
montage_join(picture_t *p, VipsImage **cells)
{
    int               rc;
    VipsImage        *whole;
    VipsArrayDouble  *background;

    background = montage_background(p);
    rc = vips_arrayjoin(cells, &whole, (int) p->inputs,
                        "across", (int) p->columns, "shim", (int) p->gap,
                        "background", background,
                        "halign", VIPS_ALIGN_CENTRE,
                        "valign", VIPS_ALIGN_CENTRE,
                        "hspacing", (int) p->cell, "vspacing", (int) p->cell,
                        NULL);
    vips_area_unref(VIPS_AREA(background));

    if (rc != 0) {
        (void) picture_fault(p, "joining");
        return NULL;
    }

    return whole;
}


static VipsArrayDouble *
montage_background(const picture_t *p)
{
    return vips_array_double_newv(3, (double) p->background[0],
                                  (double) p->background[1],
                                  (double) p->background[2]);
}
