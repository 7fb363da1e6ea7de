/*
 * ngx_podi_thread: what a worker process needs to run ngx_podi_thread().
 */

#ifndef NGX_PODI_THREAD_H
#define NGX_PODI_THREAD_H


#include "ngx_podi_core.h"


ngx_int_t ngx_podi_thread_init(ngx_podi_worker_t *w);
void ngx_podi_thread_exit(ngx_podi_worker_t *w);


#endif /* NGX_PODI_THREAD_H */
