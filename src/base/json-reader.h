/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "base/json-slice.h"

G_BEGIN_DECLS

/* Objects and arrays inside one another, the outermost counted: what is deeper is not read. At most 64. */
#define HARK_JSON_MAX_DEPTH 64

typedef enum
{
  HARK_JSON_ERROR, /* not JSON; the same again from every later call */
  HARK_JSON_END,   /* the text was one value, and is over */
  HARK_JSON_BEGIN_OBJECT,
  HARK_JSON_END_OBJECT,
  HARK_JSON_BEGIN_ARRAY,
  HARK_JSON_END_ARRAY,
  HARK_JSON_NAME, /* of a member; its value follows */
  HARK_JSON_STRING,
  HARK_JSON_INTEGER, /* digits that fit a gint64 */
  HARK_JSON_NUMBER,  /* every other number, as the text it was sent as */
  HARK_JSON_TRUE,
  HARK_JSON_FALSE,
  HARK_JSON_NULL
} HarkJsonToken;

/**
 * HarkJsonReader:
 *
 * Reads a JSON text token by token. Lives on the stack, allocates nothing, does not recurse and keeps no tree: what
 * clients send is either looked at once or forwarded as the bytes it came in. Strict RFC 8259: what another reader
 * might understand differently is refused. The text need not end with a 0 byte and must outlive the reader.
 */
typedef struct
{
  /*< private >*/
  const char *data;
  const char *end;
  const char *p;    /* what is read next */
  const char *what; /* (nullable): what was wrong at @p */
  guint64 objects;  /* bit n: the container at depth n + 1 is an object */
  guint depth;
  guint8 state;
  /*< public, read only >*/
  gboolean escaped;    /* the slice of this NAME or STRING holds an escape */
  HarkJsonToken token; /* the last one */
  gint64 integer;      /* when it is INTEGER */
  HarkJsonSlice slice; /* its bytes; without the quotes for NAME and STRING */
} HarkJsonReader;

void hark_json_reader_init (HarkJsonReader *self, const char *data, gsize len);
HarkJsonToken hark_json_reader_next (HarkJsonReader *self, GError **error);
gboolean hark_json_reader_skip_value (HarkJsonReader *self, HarkJsonSlice *raw, GError **error);

/* Byte of the text at which reading stands; after an error, of what was wrong. */
static inline gsize
hark_json_reader_get_offset (const HarkJsonReader *self)
{
  return self->p - self->data;
}

/* How many containers are open. */
static inline guint
hark_json_reader_get_depth (const HarkJsonReader *self)
{
  return self->depth;
}

G_END_DECLS
