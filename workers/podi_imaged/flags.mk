# libvips; its headers are not held to our warnings

CFLAGS_podi_imaged := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags vips))
LIBS_podi_imaged   := $(shell pkg-config --libs vips)
