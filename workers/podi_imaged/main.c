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

    podi_files_settings(&imaged.files),
    podi_picture_settings(&imaged.picture),

    podi_null_setting
};

static const podi_action_t  imaged_actions[] = {
    { "image.resize", imaged_image_steps, NULL, sizeof(imaged_item_t) },
    { "image.convert", imaged_image_steps, NULL, sizeof(imaged_item_t) },
    { "image.thumbnail", imaged_image_steps, NULL, sizeof(imaged_item_t) },
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
    /* the program that runs, even when its file was replaced */
    imaged.picture.program = "/proc/self/exe";
    imaged.picture.result_max = imaged.files.result_max;

    if (podi_picture_open(&imaged.picture, w, fail) != PODI_OK) {
        return PODI_ERROR;
    }

    return podi_files_open(&imaged.files, w, fail);
}


static void
imaged_stop(podi_worker_t *w)
{
    (void) w;

    podi_picture_close(&imaged.picture);
    podi_files_close(&imaged.files);
}
