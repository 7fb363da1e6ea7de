/*
 * podi_rc: what a function answers.
 *
 * The values are nginx's own, so that no translation table exists;
 * ngx_podi_module/core holds them equal by static assertions.
 */

#ifndef PODI_RC_H
#define PODI_RC_H


typedef int  podi_rc_t;

#define PODI_OK         0       /* done, go on */
#define PODI_ERROR     -1       /* failed; the podi_fail_t says why */
#define PODI_AGAIN     -2       /* started; the answer comes later */
#define PODI_BUSY      -3       /* a bound is reached; try later */
#define PODI_DONE      -4       /* answered; nothing is left to do */
#define PODI_DECLINED  -5       /* not mine, or nothing there */

#define PODI_MUSTCHECK  __attribute__((warn_unused_result))


#endif /* PODI_RC_H */
