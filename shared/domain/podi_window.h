/*
 * podi_window: the hour, day or month in which a moment lies.  Pure.
 *
 *     start                    now                     end
 *       |-----------------------|-----------------------|
 *       `---- what was used ----'  end - now: come back
 *
 * Windows follow the calendar of UTC, moved by an offset: with +08:00 a day
 * begins at 16:00 UTC.  There is no summer time: whoever is told when his
 * quota is back can rely on it.
 */

#ifndef PODI_WINDOW_H
#define PODI_WINDOW_H


#include "podi_time.h"


typedef enum {
    PODI_WINDOW_HOUR = 0,
    PODI_WINDOW_DAY,
    PODI_WINDOW_MONTH
} podi_window_e;

typedef struct {
    podi_usec_t  start;         /* start <= now < end */
    podi_usec_t  end;
} podi_window_t;


/* offset: seconds east of UTC, less than a day either way */
podi_window_t podi_window(podi_window_e kind, int offset, podi_usec_t now);


#endif /* PODI_WINDOW_H */
