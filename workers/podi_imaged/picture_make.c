/*
 * picture_make: pixels.
 *
 *     resize, thumbnail   open and shrink at once -> colour -> save
 *     convert             open -> upright -> colour -> save
 *     check               open -> all of it decoded; then as a thumbnail, of
 *                         what was decoded when that is kept
 *
 * What is made is upright, sRGB (or grey) with 8 bits, and has no metadata:
 * no EXIF, no place, no profile.  Colours of a profile are converted first.
 */

#include <string.h>

#include "picture.h"
#include "banned.h"

#define MAKE_KEPT_MAX   (64 << 20)      /* bytes of pixels */
#define MAKE_KEPT_PART  16              /* of the memory that it has */


static podi_rc_t make_decode(picture_t *p);
static int make_is_kept(const picture_t *p, VipsImage *image);
static VipsImage *make_thumbnail(picture_t *p);
static int make_nothing(VipsRegion *region, VipsRect *area, void *data);
static VipsImage *make_shrunk(picture_t *p);
static VipsImage *make_upright(picture_t *p);
static VipsImage *make_colour(picture_t *p, VipsImage *image);
static VipsImage *make_opaque(picture_t *p, VipsImage *image);
static VipsImage *make_bare(picture_t *p, VipsImage *image);
static void make_format(picture_t *p, VipsImage *image);


podi_rc_t
picture_make(picture_t *p)
{
    if (picture_target(p) != PODI_OK
        || (p->action == PICTURE_CHECK && make_decode(p) != PODI_OK))
    {
        return PODI_ERROR;
    }

    return picture_finish(p, (p->action == PICTURE_CONVERT)
                             ? make_colour(p, make_upright(p))
                             : picture_shrunk(p));
}


podi_rc_t
picture_finish(picture_t *p, VipsImage *image)
{
    podi_rc_t  rc;

    if (image == NULL) {
        return PODI_ERROR;
    }

    make_format(p, image);
    image = make_bare(p, make_opaque(p, image));

    if (image == NULL) {
        return PODI_ERROR;
    }

    p->made_width = vips_image_get_width(image);
    p->made_height = vips_image_get_height(image);

    rc = picture_save(p, image);
    g_object_unref(image);

    return rc;
}


/*
 * The size of the result, before anything is decoded.  What covers is larger
 * before it is cut: a line of pixels can become longer than libvips counts.
 */

podi_rc_t
picture_target(picture_t *p)
{
    double   x, y, scale, side;
    int64_t  limit;

    side = (double) VIPS_MAX(p->source_width, p->source_height);
    x = (double) p->width / (double) p->source_width;
    y = (double) p->height / (double) p->source_height;

    if (p->width == 0) {
        scale = y;

    } else if (p->height == 0) {
        scale = x;

    } else {
        scale = VIPS_MIN(x, y);
    }

    if (p->action == PICTURE_CONVERT || (p->shrink_only && scale > 1)) {
        scale = 1;
    }

    if (p->fit == PICTURE_CONTAIN) {
        p->width = (int64_t) ((double) p->source_width * scale + 0.5);
        p->height = (int64_t) ((double) p->source_height * scale + 0.5);
        p->width = VIPS_MAX(p->width, 1);
        p->height = VIPS_MAX(p->height, 1);
    }

    limit = p->limits.max_dimension;

    if (p->format == PODI_MEDIA_WEBP
        || (p->format == PODI_MEDIA_UNKNOWN && p->type == PODI_MEDIA_WEBP))
    {
        limit = VIPS_MIN(limit, PICTURE_WEBP_MAX);
    }

    if (p->width > limit || p->height > limit
        || p->width * p->height > p->limits.max_pixels
        || (p->fit == PICTURE_COVER
            && side * VIPS_MAX(x, y) > (double) VIPS_MAX_COORD))
    {
        return podi_fail(&p->fail, PODI_E_PICTURE_TOO_LARGE, NULL,
                         "the result would have %lld x %lld pixels",
                         (long long) p->width, (long long) p->height);
    }

    return PODI_OK;
}


/* line by line, to the last: shrinking on load would skip faults */

static podi_rc_t
make_decode(picture_t *p)
{
    int         rc;
    VipsImage  *image;

    image = picture_open(p);
    if (image == NULL) {
        return PODI_ERROR;
    }

    if (make_is_kept(p, image)) {
        p->whole = vips_image_copy_memory(image);
        rc = (p->whole != NULL) ? 0 : -1;

    } else {
        rc = vips_sink_disc(image, make_nothing, NULL);
    }

    g_object_unref(image);

    return (rc == 0) ? PODI_OK : picture_fault(p, "decoding");
}


/* of the others a smaller picture is decoded faster than a whole one */

static int
make_is_kept(const picture_t *p, VipsImage *image)
{
    int64_t  size = (int64_t) VIPS_IMAGE_SIZEOF_IMAGE(image);

    return p->type == PODI_MEDIA_PNG && size <= MAKE_KEPT_MAX
           && size <= p->limits.memory / MAKE_KEPT_PART;
}


static int
make_nothing(VipsRegion *region, VipsRect *area, void *data)
{
    (void) region;
    (void) area;
    (void) data;

    return 0;
}


VipsImage *
picture_shrunk(picture_t *p)
{
    return make_colour(p, make_shrunk(p));
}


static VipsImage *
make_shrunk(picture_t *p)
{
    VipsImage  *image;

    image = make_thumbnail(p);

    if (p->whole != NULL) {
        g_object_unref(p->whole);
        p->whole = NULL;
    }

    return image;
}


static VipsImage *
make_thumbnail(picture_t *p)
{
    int              rc;
    int              is_cover = (p->fit == PICTURE_COVER);
    VipsSize         size = is_cover ? VIPS_SIZE_BOTH : VIPS_SIZE_FORCE;
    VipsImage       *image;
    VipsSource      *source;
    VipsInteresting  crop = is_cover ? VIPS_INTERESTING_CENTRE
                                     : VIPS_INTERESTING_NONE;

    if (p->whole != NULL) {
        rc = vips_thumbnail_image(p->whole, &image, (int) p->width,
                                  "height", (int) p->height, "size", size,
                                  "crop", crop, NULL);

    } else {
        source = picture_source(p);
        if (source == NULL) {
            return NULL;
        }

        rc = vips_thumbnail_source(source, &image, (int) p->width,
                                   "height", (int) p->height, "size", size,
                                   "crop", crop,
                                   "fail_on", VIPS_FAIL_ON_ERROR, NULL);
        g_object_unref(source);
    }

    if (rc != 0) {
        (void) picture_fault(p, "shrinking");
        return NULL;
    }

    return image;
}


/* turning needs the lines in another order, so all of them are kept */

static VipsImage *
make_upright(picture_t *p)
{
    int         rc;
    VipsImage  *image, *kept, *turned;

    image = picture_open(p);

    if (image == NULL || p->orientation <= 1) {
        return image;
    }

    kept = vips_image_copy_memory(image);
    g_object_unref(image);

    if (kept == NULL) {
        (void) picture_fault(p, "decoding");
        return NULL;
    }

    rc = vips_autorot(kept, &turned, NULL);
    g_object_unref(kept);

    if (rc != 0) {
        (void) picture_fault(p, "turning");
        return NULL;
    }

    return turned;
}


/* a profile that is broken is as good as none; takes the image */

static VipsImage *
make_colour(picture_t *p, VipsImage *image)
{
    int         rc, is_cmyk;
    VipsImage  *out;

    if (image == NULL) {
        return NULL;
    }

    is_cmyk = (vips_image_get_interpretation(image)
               == VIPS_INTERPRETATION_CMYK);

    if (is_cmyk || vips_image_get_typeof(image, VIPS_META_ICC_NAME) != 0) {

        if (vips_icc_transform(image, &out, "srgb", "embedded", TRUE,
                               "input_profile", is_cmyk ? "cmyk" : "srgb",
                               NULL) == 0)
        {
            g_object_unref(image);
            image = out;

        } else {
            vips_error_clear();
        }
    }

    rc = vips_colourspace(image, &out, vips_image_get_bands(image) < 3
                                       ? VIPS_INTERPRETATION_B_W
                                       : VIPS_INTERPRETATION_sRGB, NULL);
    g_object_unref(image);

    if (rc != 0) {
        (void) picture_fault(p, "converting the colours");
        return NULL;
    }

    return out;
}


/* what "keep" means for formats that are read only */

static void
make_format(picture_t *p, VipsImage *image)
{
    if (p->format != PODI_MEDIA_UNKNOWN) {
        p->made = p->format;

    } else if (p->type == PODI_MEDIA_JPEG || p->type == PODI_MEDIA_PNG
               || p->type == PODI_MEDIA_WEBP)
    {
        p->made = p->type;

    } else if (p->type == PODI_MEDIA_GIF || vips_image_hasalpha(image)) {
        p->made = PODI_MEDIA_PNG;

    } else {
        p->made = PODI_MEDIA_JPEG;
    }
}


/* JPEG has no alpha: what is behind becomes white; takes the image */

static VipsImage *
make_opaque(picture_t *p, VipsImage *image)
{
    int               rc;
    VipsImage        *out;
    VipsArrayDouble  *white;

    if (p->made != PODI_MEDIA_JPEG || !vips_image_hasalpha(image)) {
        return image;
    }

    white = vips_array_double_newv(1, 255.0);
    rc = vips_flatten(image, &out, "background", white, NULL);
    vips_area_unref(VIPS_AREA(white));
    g_object_unref(image);

    if (rc != 0) {
        (void) picture_fault(p, "laying it on white");
        return NULL;
    }

    return out;
}


/*
 * "strip" of a saver is not enough: that of WebP keeps EXIF and profile
 * (libvips 8.14).  So nothing is left to be saved; takes the image.
 */

static VipsImage *
make_bare(picture_t *p, VipsImage *image)
{
    int         rc;
    gchar     **fields, **name;
    VipsImage  *out;

    if (image == NULL) {
        return NULL;
    }

    rc = vips_copy(image, &out, NULL);
    g_object_unref(image);

    if (rc != 0) {
        (void) picture_fault(p, "copying");
        return NULL;
    }

    fields = vips_image_get_fields(out);

    for (name = fields; *name != NULL; name++) {
        (void) vips_image_remove(out, *name);   /* but for size and kind */
    }

    g_strfreev(fields);

    return out;
}
