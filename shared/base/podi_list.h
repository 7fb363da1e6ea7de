/*
 * podi_list: a doubly linked ring whose links live in their owners.
 * The head is a link too; an owner is in at most one list by one link.
 */

#ifndef PODI_LIST_H
#define PODI_LIST_H


#include <stddef.h>


typedef struct podi_link_s  podi_link_t;

struct podi_link_s {
    podi_link_t  *prev;
    podi_link_t  *next;
};


static inline void
podi_list_init(podi_link_t *head)
{
    head->prev = head;
    head->next = head;
}


static inline int
podi_list_is_empty(const podi_link_t *head)
{
    return head->next == head;
}


static inline void
podi_list_append(podi_link_t *head, podi_link_t *x)
{
    x->prev = head->prev;
    x->next = head;
    x->prev->next = x;
    head->prev = x;
}


/* the link is left pointing at itself, so removing twice does no harm */

static inline void
podi_list_remove(podi_link_t *x)
{
    x->prev->next = x->next;
    x->next->prev = x->prev;
    podi_list_init(x);
}


#define podi_list_owner(link, type, member)                                  \
    ((type *) (void *) ((char *) (link) - offsetof(type, member)))

#define podi_list_each(x, head)                                              \
    for ((x) = (head)->next; (x) != (head); (x) = (x)->next)

/* the body may remove x */
#define podi_list_each_safe(x, tmp, head)                                    \
    for ((x) = (head)->next, (tmp) = (x)->next; (x) != (head);               \
         (x) = (tmp), (tmp) = (x)->next)


#endif /* PODI_LIST_H */
