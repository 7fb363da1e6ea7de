/*
 * picture_save: an image, bare of metadata (picture_make), into its file.
 *
 * The bytes are written here, not by libvips, to know why a write failed.
 */

#include <errno.h>
#include <unistd.h>

#include "picture.h"
#include "banned.h"

#define SAVE_PNG_LEVEL    6
#define SAVE_WEBP_EFFORT  4


static gint64 save_write(VipsTargetCustom *target, const void *data,
    gint64 len, gpointer user);
static int save_as(picture_t *p, VipsImage *image, VipsTarget *target);


podi_rc_t
picture_save(picture_t *p, VipsImage *image)
{
    int                rc;
    VipsTargetCustom  *target;

    target = vips_target_custom_new();
    if (target == NULL) {
        return picture_fault(p, "storing");
    }

    (void) g_signal_connect(target, "write", G_CALLBACK(save_write), p);

    rc = save_as(p, image, VIPS_TARGET(target));
    g_object_unref(target);

    return (rc == 0 && p->write_errno == 0) ? PODI_OK
                                            : picture_fault(p, "storing");
}


static gint64
save_write(VipsTargetCustom *target, const void *data, gint64 len,
    gpointer user)
{
    ssize_t     n;
    picture_t  *p = user;

    (void) target;

    do {
        n = write(PODI_PICTURE_OUT, data, (size_t) len);
    } while (n == -1 && errno == EINTR);

    if (n == -1) {
        p->write_errno = errno;
    }

    return n;
}


static int
save_as(picture_t *p, VipsImage *image, VipsTarget *target)
{
    switch (p->made) {

    case PODI_MEDIA_JPEG:
        return vips_jpegsave_target(image, target, "Q", p->quality,
                                    "optimize_coding", TRUE, "strip", TRUE,
                                    NULL);

    case PODI_MEDIA_WEBP:
        return vips_webpsave_target(image, target, "Q", p->quality,
                                    "effort", SAVE_WEBP_EFFORT,
                                    "strip", TRUE, NULL);

    default:
        return vips_pngsave_target(image, target,
                                   "compression", SAVE_PNG_LEVEL,
                                   "strip", TRUE, NULL);
    }
}
