/*
 * podi_imaged: pictures.
 *
 *     claimed -> fetch -> one process makes one picture -> store -> settled
 *
 * Serves:    image.resize, image.convert, image.thumbnail, image.montage,
 *            media.check
 * Promises:  the loop never blocks and no byte of a picture is decoded in
 *            it; a picture that is a bomb, truncated or none ends its job
 *            with a reason and harms nothing else; no file is left behind.
 * Settings:  see imaged_settings.
 *
 * With the one argument --picture it is the process that makes one picture.
 */

#include <string.h>

#include "imaged.h"
#include "picture.h"
#include "banned.h"


static podi_rc_t imaged_start(podi_worker_t *w, podi_fail_t *fail);
static void imaged_stop(podi_worker_t *w);


imaged_t  imaged;

static const podi_setting_t  imaged_settings[] = {

    /* where files without names live; must hold all jobs in hand */
    { "work_dir", PODI_PATH, &imaged.work_dir, "/var/lib/podi/tmp", "1",
      NULL },

    /* of a picture, as bytes: fetched, and made */
    { "input_max", PODI_SIZE, &imaged.input_max, "64m", "1k", "4g" },
    { "result_max", PODI_SIZE, &imaged.result_max, "128m", "1k", "4g" },

    /* width * height * frames as its header says; and each side */
    { "max_pixels", PODI_INT, &imaged.max_pixels, "100000000", "1",
      "4000000000" },
    { "max_dimension", PODI_INT, &imaged.max_dimension, "30000", "1",
      "65500" },

    /* of the process: CPU time, address space, wall time */
    { "cpu", PODI_MSEC, &imaged.cpu, "30s", "1s", "10m" },
    { "memory", PODI_SIZE, &imaged.memory, "2g", "256m", "64g" },
    { "picture_timeout", PODI_MSEC, &imaged.picture_timeout, "45s", "100ms",
      "10m" },

    /* denies it files, sockets and programs; off where the kernel cannot */
    { "seccomp", PODI_BOOL, &imaged.seccomp, "on", NULL, NULL },

    /* one transfer, all in all; and without a byte */
    { "store_timeout", PODI_MSEC, &imaged.store_timeout, "20s", "100ms",
      "10m" },
    { "store_idle", PODI_MSEC, &imaged.store_idle, "5s", "1s", "60s" },

    podi_null_setting
};

static const podi_action_t  imaged_actions[] = {
    { "image.resize", imaged_image_steps, NULL, sizeof(imaged_image_t) },
    { "image.convert", imaged_image_steps, NULL, sizeof(imaged_image_t) },
    { "image.thumbnail", imaged_image_steps, NULL, sizeof(imaged_image_t) },
    { "image.montage", imaged_montage_steps, NULL, sizeof(imaged_montage_t) },
    { "media.check", imaged_check_steps, NULL, sizeof(imaged_check_t) },
    podi_null_action
};


int
main(int argc, char **argv)
{
    static const podi_worker_conf_t  conf = {
        .name = "podi_imaged",
        .settings = imaged_settings,
        .actions = imaged_actions,
        .queue = "image",
        .start = imaged_start,
        .stop = imaged_stop,
        .data = &imaged,
    };

    if (argc == 2 && strcmp(argv[1], "--picture") == 0) {
        return picture_main();
    }

    return podi_worker_main(argc, argv, &conf);
}


static podi_rc_t
imaged_start(podi_worker_t *w, podi_fail_t *fail)
{
    if (imaged_work_empty(fail) != PODI_OK) {
        return PODI_ERROR;
    }

    if (podi_objects_open(&imaged.stores, w, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    if (imaged.stores.n == 0) {
        return podi_fail(fail, PODI_E_CONFIG, NULL, "stores names no store");
    }

    return PODI_OK;
}


static void
imaged_stop(podi_worker_t *w)
{
    (void) w;

    podi_objects_close(&imaged.stores);
}
