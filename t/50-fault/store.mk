# The programs of store.t: make -f store.mk PODI_BUILD=dir [SAN=1]
# Their headers hold helpers that not each of them needs.

CC      ?= gcc
LAYERS   = base flow codec domain store
OPT      = -O2 -g
ifeq ($(SAN),1)
OPT      = -O1 -g -fsanitize=address,undefined -fno-omit-frame-pointer
endif
CFLAGS   = -std=gnu11 $(OPT) -Wall -Wextra -Wshadow -Wpointer-arith \
           -Wstrict-prototypes -Wmissing-prototypes -Werror \
           -Wno-unused-function -Wno-unused-variable \
           $(addprefix -I../../shared/,$(LAYERS)) -I../10-unit \
           -I../../workers/skeleton -I/usr/include/postgresql
LIBS     = -lpq -lhiredis -ljansson -lssl -lcrypto -luv
UV       = ../../workers/skeleton/podi_uv_io
LIB      = $(PODI_BUILD)/libpodi.a

PROGRAMS = store_pg store_pg_cut store_redis store_redis_sub \
           store_queue store_limit store_limit_sums

all: $(PROGRAMS:%=$(PODI_BUILD)/fault/%)

$(PODI_BUILD)/fault/%: %.c $(wildcard *.h) store.mk $(UV).c $(UV).h $(LIB)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $< $(UV).c $(LIB) $(LIBS)
